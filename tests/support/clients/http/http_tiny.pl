use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
my $answer = HTTP::Tiny->new->post($ENV{URL}, {
    content => $ENV{JSON}, headers => { 'Content-Type' => 'application/json', Authorization => "Bearer $ENV{TOKEN}" } });
die $answer->{content} unless $answer->{success};
print decode_json($answer->{content})->{id}, "\n";
