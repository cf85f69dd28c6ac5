require 'mail'
Mail.defaults { delivery_method :sendmail }
Mail.deliver { from ENV['SENDER']; to ENV['RECIPIENT']; subject ENV['SUBJECT']; body ENV['BODY'] }
