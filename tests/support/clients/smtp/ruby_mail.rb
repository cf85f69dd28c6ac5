require 'mail'
tls = { 'none' => { enable_starttls_auto: false }, 'starttls' => { enable_starttls: :always }, 'implicit' => { ssl: true } }
settings = { address: ENV['HOST'], port: ENV['PORT'].to_i, user_name: ENV['SMTP_USER'], password: ENV['PASSWORD'],
             ca_file: ENV['CA'] }
Mail.defaults { delivery_method :smtp, settings.merge(tls[ENV['WAY']]) }
Mail.deliver { from ENV['SENDER']; to ENV['RECIPIENT']; subject ENV['SUBJECT']; body ENV['BODY'] }
