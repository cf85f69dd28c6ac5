require 'json'
require 'net/http'
answer = Net::HTTP.post(URI(ENV['URL']), ENV['JSON'], 'Content-Type' => 'application/json',
                        'Authorization' => "Bearer #{ENV['TOKEN']}")
abort(answer.body) unless answer.is_a?(Net::HTTPSuccess)
puts JSON.parse(answer.body)['id']
