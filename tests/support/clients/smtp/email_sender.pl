use strict;
use warnings;
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::SMTP;
use Email::Simple;
my %tls = (none => 0, starttls => 'starttls', implicit => 'ssl');
my $transport = Email::Sender::Transport::SMTP->new({
    hosts => [$ENV{HOST}], port => $ENV{PORT}, ssl => $tls{$ENV{WAY}}, sasl_username => $ENV{SMTP_USER},
    sasl_password => $ENV{PASSWORD},
    ssl_options => { SSL_ca_file => $ENV{CA}, SSL_verifycn_name => $ENV{HOST} } });
my $email = Email::Simple->create(
    header => [From => $ENV{SENDER}, To => $ENV{RECIPIENT}, Subject => $ENV{SUBJECT}], body => $ENV{BODY});
sendmail($email, { transport => $transport });
