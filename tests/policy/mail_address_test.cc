#include "policy/mail_address.h"

#include <catch2/catch.hpp>

using waxwing::MailAddress;

namespace {
bool refused(std::string_view text) {
  return !MailAddress::parse(text);
}
}  // namespace

TEST_CASE("the local part keeps its spelling while the domain becomes canonical") {
  const auto address = MailAddress::parse(
      "J.Doe+x@B\xc3\xbc"
      "cher.EXAMPLE");
  REQUIRE(address);
  CHECK(address->local_part == "J.Doe+x");
  CHECK(address->str() == "J.Doe+x@xn--bcher-kva.example");
}

TEST_CASE("a quoted local part keeps its quotes and may hold an at sign") {
  const auto address = MailAddress::parse(R"("a@b \" c"@example.org)");
  REQUIRE(address);
  CHECK(address->local_part == R"("a@b \" c")");
  CHECK(MailAddress::parse(R"(""@example.org)"));
}

TEST_CASE("a UTF-8 local part is accepted and invalid UTF-8 is not") {
  CHECK(
      MailAddress::parse("d\xc3\xb6"
                         "rte@example.org"));
  CHECK(refused("d\xc3@example.org"));
  CHECK(refused("\xed\xa0\x80@example.org"));
}

TEST_CASE("addresses that break the grammar are refused") {
  for (const char* text : {"",
                           "@example.org",
                           "a",
                           "a@",
                           ".a@example.org",
                           "a.@example.org",
                           "a..b@example.org",
                           "a b@example.org",
                           "a@b@c.example",
                           "\"a@example.org",
                           "\"a\"b@example.org",
                           "\"a\\\x01\"@example.org",
                           "a@[192.0.2.1]",
                           "a@example.org.",
                           "<a@example.org>",
                           "a(c)@example.org",
                           "a\x7f@example.org",
                           "a@exa mple.org",
                           "\"\\",
                           "a\r\n@example.org"}) {
    INFO(text);
    CHECK(refused(text));
  }
  CHECK(refused(std::string_view("a\0b@example.org", 15)));
}

TEST_CASE("a local part has at most 64 octets and an address at most 254") {
  CHECK(MailAddress::parse(std::string(64, 'a') + "@example.org"));
  CHECK(refused(std::string(65, 'a') + "@example.org"));
  const std::string label(63, 'd');
  const std::string domain = label + "." + label + "." + std::string(61, 'e');  // 189 octets
  CHECK(MailAddress::parse(std::string(64, 'a') + "@" + domain));
  CHECK(refused(std::string(64, 'a') + "@d." + domain));
}
