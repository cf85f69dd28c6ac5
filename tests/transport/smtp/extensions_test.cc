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

TEST_CASE("a keyword that is only a prefix or has other characters is another keyword") {
  const auto extensions = offered({"mx", "STARTTLSX", "PIPELINING=1", " 8BITMIME"});
  CHECK_FALSE(extensions.starttls);
  CHECK_FALSE(extensions.pipelining);
  CHECK_FALSE(extensions.eight_bit_mime);
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
