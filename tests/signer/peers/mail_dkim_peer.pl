#!/usr/bin/perl
# Mail::DKIM's side of the comparison: `mail_dkim_peer.pl sign|seal|verify|validate FOLDER`, messages on standard input and
# output as message_bundle.h has them. `validate` is verification of ARC chains. RSA only: it knows no Ed25519.
use strict;
use warnings;
use Mail::DKIM::ARC::Signer;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::DNS;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

my $domain = 'sender.example';
my ( $command, $folder ) = @ARGV;
my %records;

open my $file, '<', "$folder/records.txt" or die "$folder/records.txt: $!";
while ( my $line = <$file> ) {
    chomp $line;
    my ( $name, $text ) = split /\t/, $line, 2;
    $records{$name} = $text;
}
close $file;

{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query = sub {
        my ($name) = @_;
        my $text = $records{ lc $name };
        return unless defined $text;
        my @strings = unpack '(a255)*', $text;
        return Net::DNS::RR->new( owner => $name, type => 'TXT', txtdata => \@strings );
    };
}

sub fed {
    my ( $engine, $message ) = @_;
    $engine->PRINT($message);
    $engine->CLOSE;
    return $engine;
}

my @forms = ( 'relaxed', 'simple' );
my %commands = (
    sign => sub {
        my ( $name, $message ) = @_;
        my $signer = Mail::DKIM::Signer->new(
            Algorithm => 'rsa-sha256',
            Method    => $forms[ $name % 2 ] . '/' . $forms[ int( $name / 2 ) % 2 ],
            Domain    => $domain,
            Selector  => 'rsa',
            KeyFile   => "$folder/rsa.pem",
        );
        return fed( $signer, $message )->signature->as_string . "\r\n" . $message;
    },
    seal => sub {
        my ( $name, $message ) = @_;
        my $signer = Mail::DKIM::ARC::Signer->new(
            Algorithm => 'rsa-sha256',
            Chain     => 'ar',
            Domain    => $domain,
            SrvId     => $domain,
            Selector  => 'rsa',
            KeyFile   => "$folder/rsa.pem",
        );
        fed( $signer, $message );
        die "$name: " . $signer->result_detail unless $signer->result eq 'sealed';
        return join( '', map { "$_\r\n" } $signer->as_strings ) . $message;
    },
    verify => sub {
        my ( $name, $message ) = @_;
        my $verifier = fed( Mail::DKIM::Verifier->new, $message );
        return map { my $detail = $_->result_detail; $detail =~ tr/ /_/; $detail } $verifier->signatures;
    },
    validate => sub {
        my ( $name, $message ) = @_;
        my $verifier = fed( Mail::DKIM::ARC::Verifier->new, $message );
        my $detail   = $verifier->result eq 'pass' ? 'pass' : $verifier->result_detail;
        $detail =~ tr/ /_/;
        return "arc=$detail";
    },
);

binmode $_, ':raw' for \*STDIN, \*STDOUT;
my $run = $commands{$command} or die "unknown command $command\n";
while ( my $header = <STDIN> ) {
    my ( $name, $size ) = split ' ', $header;
    read( STDIN, my $message, $size + 1 ) == $size + 1 or die "the bundle ends early\n";
    chop $message;
    my @result = $run->( $name, $message );
    if ( $command eq 'sign' or $command eq 'seal' ) {
        print "$name ", length( $result[0] ), "\n", $result[0], "\n";
    }
    else {
        print join( ' ', $name, @result ), "\n";
    }
}
