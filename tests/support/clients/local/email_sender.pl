use strict;
use warnings;
use Email::Sender::Simple qw(sendmail);
use Email::Simple;
sendmail(Email::Simple->create(
    header => [From => $ENV{SENDER}, To => $ENV{RECIPIENT}, Subject => $ENV{SUBJECT}], body => $ENV{BODY}));
