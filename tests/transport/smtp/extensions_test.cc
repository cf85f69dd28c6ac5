#include "transport/smtp/extensions.h"

#include <catch2/catch.hpp>

#include "transport/smtp/command.h"

using namespace waxwing;

namespace {

SmtpExtensions offered(std::vector<std::string> lines) {
  return SmtpExtensions::parse(SmtpReply{250, {}, std::move(lines)});
}

}  // namespace

TEST_CASE("keywords of EHLO are read in any case, but never from the greeting line") {
  const auto extensions =
      offered({"STARTTLS", "pipelining", "8BitMime", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"});
  CHECK_FALSE(extensions.starttls);
  CHECK(extensions.pipelining);
  CHECK(extensions.eight_bit_mime);
  CHECK(extensions.smtputf8);
  CHECK(extensions.chunking);
  CHECK(extensions.enhanced_status_codes);
}

TEST_CASE("SIZE gives a limit only when it can be read and is not zero") {
  CHECK(offered({"mx", "SIZE 1000"}).size_limit_octets == 1'000);
  for (const auto* line : {"SIZE", "SIZE 0", "SIZE -1", "SIZE 1k", "SIZE 99999999999999999999999"}) {
    const auto extensions = offered({"mx", line});
    CHECK(extensions.size);
    CHECK_FALSE(extensions.size_limit_octets);
  }
}

TEST_CASE("LIMITS gives those limits that can be read") {
  const auto extensions = offered({"mx", "LIMITS MAILMAX=5 rcptmax=20 RCPTDOMAINMAX=1 OTHER=7"});
  CHECK(extensions.mail_max == 5);
  CHECK(extensions.rcpt_max == 20);
  CHECK(extensions.rcpt_domain_max == 1);
  for (const auto* line : {"LIMITS", "LIMITS RCPTMAX", "LIMITS RCPTMAX=", "LIMITS RCPTMAX=0", "LIMITS RCPTMAX=-1",
                           "LIMITS RCPTMAX=1000000", "LIMITS RCPTMAX=x", "LIMITS  =  ", "LIMITSX RCPTMAX=2"}) {
    CHECK_FALSE(offered({"mx", line}).rcpt_max);
  }
}

TEST_CASE("a keyword that is only a prefix or has other characters is another keyword") {
  const auto extensions = offered({"mx", "STARTTLSX", "PIPELINING=1", " 8BITMIME"});
  CHECK_FALSE(extensions.starttls);
  CHECK_FALSE(extensions.pipelining);
  CHECK_FALSE(extensions.eight_bit_mime);
}

TEST_CASE("what a sender asks about reports is passed on to a host that offers DSN") {
  const MailAddress address = *MailAddress::parse("a@b.example");
  const MailParameters parameters{10, false, false, false, {ReturnedContent::Full, "QQ+2B"}};
  const RecipientNotice notice{NotifyWish{true, true, false}, "rfc822;a@b.example"};
  const auto without = offered({"mx"});
  CHECK(mail_command(address, parameters, without) == "MAIL FROM:<a@b.example>\r\n");
  CHECK(rcpt_command(address, notice, without) == "RCPT TO:<a@b.example>\r\n");
  const auto with = offered({"mx", "DSN"});
  CHECK(mail_command(address, parameters, with) == "MAIL FROM:<a@b.example> RET=FULL ENVID=QQ+2B\r\n");
  CHECK(rcpt_command(address, notice, with) ==
        "RCPT TO:<a@b.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@b.example\r\n");
  CHECK(rcpt_command(address, {NotifyWish{}, ""}, with) == "RCPT TO:<a@b.example> NOTIFY=NEVER\r\n");
  CHECK(rcpt_command(address, {}, with) == "RCPT TO:<a@b.example>\r\n");
}

TEST_CASE("MAIL carries only parameters that are offered and needed") {
  SmtpExtensions extensions;
  CHECK(mail_command(std::nullopt, {10, true, true}, extensions) == "MAIL FROM:<>\r\n");
  extensions = offered({"mx", "SIZE", "8BITMIME", "SMTPUTF8"});
  CHECK(mail_command(*MailAddress::parse("a@b.example"), {10, false, false}, extensions) ==
        "MAIL FROM:<a@b.example> SIZE=10\r\n");
  CHECK(mail_command(*MailAddress::parse("a@b.example"), {10, true, true}, extensions) ==
        "MAIL FROM:<a@b.example> SIZE=10 BODY=8BITMIME SMTPUTF8\r\n");
}
