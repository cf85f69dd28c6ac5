#include "relay/server/header_rules.h"

#include <catch2/catch.hpp>

#include <string>

namespace waxwing {
namespace {

std::string refusal_of(const std::string& block) {
  const auto fields = parse_header_block(block);
  REQUIRE(fields);
  const auto refusal = check_header_form(*fields);
  return refusal ? refusal->str() : std::string();
}

TEST_CASE("a header in good form passes, folded and in any order") {
  CHECK(refusal_of("Subject: a\r\n b\r\n\tc\r\nFrom: a@example.org\r\nReceived: x\r\nReceived: y\r\nX-A:\r\n").empty());
}

TEST_CASE("a second field where only one may be is refused, in any case") {
  for (const char* name : {"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "Content-Type"}) {
    const std::string field = std::string(name) + ": x\r\n";
    std::string other = field;
    other[0] = static_cast<char>(other[0] + 'a' - 'A');
    CHECK(refusal_of(field + "X: y\r\n" + other).find(std::string("550 5.6.0 the message has more than one ") + name) ==
          0);
  }
}

TEST_CASE("what programs take for different headers is refused") {
  CHECK(refusal_of("From : a@example.org\r\n").find("550 5.6.0 white space") == 0);
  CHECK(refusal_of("From\t: a@example.org\r\n").find("550 5.6.0 white space") == 0);
  CHECK(refusal_of("Subject: x\r\n \r\n y\r\n").find("550 5.6.0 the field Subject has a line") == 0);
  CHECK(refusal_of("Subject: x\r\n\t \r\n").find("550 5.6.0 the field Subject has a line") == 0);
  for (const char octet : {'\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x7f'})
    CHECK(refusal_of(std::string("Subject: a") + octet + "b\r\n").find("550 5.6.0 the field Subject holds") == 0);
}

TEST_CASE("fields that must not leave are known in any case, and others leave") {
  const auto fields = parse_header_block(
      "Bcc: a\r\nreturn-path: <x@y>\r\nRESENT-BCC: d\r\nContent-Length: 3\r\n"
      "To: c\r\nReceived: x\r\nX-Bcc: y\r\nContent-Type: z\r\n");
  REQUIRE(fields);
  for (std::size_t i = 0; i < fields->size(); ++i) CHECK(is_withheld((*fields)[i]) == (i < 4));
}

}  // namespace
}  // namespace waxwing
