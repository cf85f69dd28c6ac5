#include "relay/queue/bounce_class.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;

namespace {

struct Case {
  const char* status;
  const char* reply;
  DeliveryStage stage;
  BounceClass expected;
};

std::string class_of(const Case& one) {
  return std::string(bounce_class_name(classify_bounce({one.status, one.reply, one.stage})));
}

using Stage = DeliveryStage;
using Class = BounceClass;

}  // namespace

TEST_CASE("replies that servers of all kinds give are classified by what stands behind them") {
  const Case kCases[] = {
      {"5.1.1", "550 5.1.1 <x@a.example>: Recipient address rejected: User unknown in virtual mailbox table",
       Stage::Rcpt, Class::BadMailbox},
      {"5.1.1", "550 5.1.1 The email account that you tried to reach does not exist. Please try", Stage::Rcpt,
       Class::BadMailbox},
      {"5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
       Stage::Content, Class::BadMailbox},
      {"5.0.0", "550 No such user here", Stage::Rcpt, Class::BadMailbox},
      {"5.0.0", "550 Unrouteable address", Stage::Rcpt, Class::BadMailbox},
      {"5.2.1", "550 5.2.1 The email account that you tried to reach is disabled.", Stage::Rcpt, Class::BadMailbox},
      {"4.2.1", "450 4.2.1 The user you are trying to contact is receiving mail at a rate that", Stage::Rcpt,
       Class::Rate},
      {"5.2.2", "552 5.2.2 Mailbox full", Stage::Rcpt, Class::Quota},
      {"4.0.0", "452 Requested action not taken: user is over quota", Stage::Rcpt, Class::Quota},
      {"5.0.0", "552 exceeded storage allocation", Stage::Rcpt, Class::Quota},
      {"5.3.4", "552 5.3.4 Message size exceeds fixed limit", Stage::Mail, Class::Size},
      {"5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Stage::Rcpt,
       Class::Reputation},
      {"5.7.1", "550 5.7.1 Our system has detected that this message is likely unsolicited mail.", Stage::Content,
       Class::Spam},
      {"5.7.26", "550 5.7.26 This mail has been blocked because the sender is unauthenticated.", Stage::Content,
       Class::Authentication},
      {"5.7.1", "550 5.7.1 Email rejected per DMARC policy for sender.example", Stage::Content, Class::Authentication},
      {"5.7.25", "550 5.7.25 The IP address sending this message does not have a PTR record", Stage::Content,
       Class::Authentication},
      {"4.2.0", "450 4.2.0 <x@a.example>: Recipient address rejected: Greylisted, see http://postgrey.example",
       Stage::Rcpt, Class::Greylisting},
      {"4.7.1", "451 4.7.1 Try again later", Stage::Content, Class::Greylisting},
      {"4.7.1", "450 4.7.1 <a@b.example>: Recipient address rejected: Please try again in 5 minutes", Stage::Rcpt,
       Class::Greylisting},
      {"4.7.1", "451 4.7.1 Service unavailable - try again later", Stage::Content, Class::Policy},
      {"4.7.1", "450 4.7.1 Client host rejected: cannot find your hostname", Stage::Rcpt, Class::Policy},
      {"4.7.1", "421 4.7.1 Try again later", Stage::Rcpt, Class::Policy},
      {"4.7.0", "421 4.7.0 Try again later, our system has detected an unusual rate of mail", Stage::Greeting,
       Class::Rate},
      {"4.7.28", "421 4.7.28 Our system has detected something", Stage::Content, Class::Rate},
      {"4.3.2", "421 4.3.2 Too many connections from your host", Stage::Greeting, Class::Rate},
      {"4.3.1", "452 4.3.1 Insufficient system storage", Stage::Mail, Class::Infrastructure},
      {"5.4.6", "554 5.4.6 Too many hops", Stage::Content, Class::Infrastructure},
      {"5.7.1", "554 5.7.1 <x@a.example>: Relay access denied", Stage::Rcpt, Class::Infrastructure},
      {"5.7.1", "550 5.7.1 Access denied", Stage::Rcpt, Class::Policy},
      {"5.6.0", "554 5.6.0 Message has two From fields", Stage::Content, Class::Content},
      {"5.5.2", "500 5.5.2 Error: bad syntax", Stage::Mail, Class::Protocol},
      {"5.0.0", "502 Command not implemented", Stage::Mail, Class::Protocol},
      {"4.7.4", "454 4.7.4 TLS not available due to local problem", Stage::Tls, Class::Tls},
      {"5.0.0", "554 Transaction failed", Stage::Content, Class::Unclassified},
      {"5.0.0", "550 Requested action not taken: mailbox unavailable", Stage::Rcpt, Class::Unclassified},
  };
  for (const Case& one : kCases) {
    INFO(one.reply);
    CHECK(class_of(one) == bounce_class_name(one.expected));
  }
}

TEST_CASE("what the relay itself finds is classified by the code that it gives") {
  const Case kCases[] = {
      {"5.1.2", "", Stage::None, Class::BadDomain},
      {"5.1.10", "", Stage::None, Class::BadDomain},
      {"5.4.4", "", Stage::None, Class::BadDomain},
      {"4.4.1", "", Stage::Connect, Class::Infrastructure},
      {"4.4.2", "", Stage::Content, Class::Infrastructure},
      {"4.4.3", "", Stage::None, Class::Infrastructure},
      {"4.4.2", "", Stage::Tls, Class::Infrastructure},
      {"4.7.0", "", Stage::Tls, Class::Tls},
      {"4.7.5", "", Stage::Tls, Class::Tls},
      {"5.7.30", "", Stage::Ehlo, Class::Tls},
      {"5.3.4", "", Stage::Ehlo, Class::Size},
      {"5.6.3", "", Stage::Ehlo, Class::Content},
      {"4.5.0", "", Stage::Rcpt, Class::Protocol},
  };
  for (const Case& one : kCases) {
    INFO(one.status);
    CHECK(class_of(one) == bounce_class_name(one.expected));
  }
}

TEST_CASE("a block list beside 5.1.1 is no missing mailbox") {
  CHECK(classify_bounce({"5.1.1", "550 5.1.1 Rejected, your address is on our blocklist", Stage::Rcpt}) ==
        Class::Reputation);
}

TEST_CASE("before RCPT nothing is said about the recipient") {
  CHECK(classify_bounce({"5.1.1", "550 5.1.1 User unknown", Stage::Mail}) != Class::BadMailbox);
  CHECK(classify_bounce({"5.1.8", "550 5.1.8 <a@b.example>: Sender address rejected: User unknown", Stage::Rcpt}) ==
        Class::Policy);
  CHECK(classify_bounce({"5.2.2", "552 5.2.2 over quota", Stage::Greeting}) != Class::Quota);
}

TEST_CASE("whatever the status and the reply are, there is a class with a name") {
  for (const char* status : {"", "5", "5.", "x.y.z", "5.1.1.1", "....", "9.9.9"}) {
    for (const char* reply : {"", "5", "55", "550", "\x01\xff", "999 nothing"}) {
      CHECK_FALSE(bounce_class_name(classify_bounce({status, reply, Stage::None})).empty());
    }
  }
}

TEST_CASE("what a smarthost says about our login is no word on the message") {
  CHECK(classify_bounce({"4.7.8", "535 5.7.8 account disabled", Stage::Login}) == Class::Infrastructure);
  CHECK(classify_bounce({"4.7.8", "", Stage::Login}) == Class::Infrastructure);
}
