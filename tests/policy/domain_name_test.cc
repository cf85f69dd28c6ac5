#include "policy/domain_name.h"

#include <catch2/catch.hpp>

using waxwing::DomainName;
using waxwing::ErrorKind;

namespace {
std::string parsed(std::string_view text) {
  auto name = DomainName::parse(text);
  return name ? name->str() : "refused: " + name.error().detail;
}
bool refused(std::string_view text) {
  auto name = DomainName::parse(text);
  return !name && name.error().kind == ErrorKind::Malformed;
}
}  // namespace

TEST_CASE("a domain name is folded to lower case and loses one trailing dot") {
  CHECK(parsed("Mail.EXAMPLE") == "mail.example");
  CHECK(parsed("mail.example.") == "mail.example");
  CHECK(parsed("_dmarc.a-b.example") == "_dmarc.a-b.example");
  CHECK(parsed("xn--i-7iq.example") == "xn--i-7iq.example");
}

TEST_CASE("U-labels become A-labels by IDNA2008 without transitional mapping") {
  CHECK(parsed("b\xc3\xbc"
               "cher.example") == "xn--bcher-kva.example");
  CHECK(parsed("stra\xc3\x9f"
               "e.example") == "xn--strae-oqa.example");
  CHECK(parsed("_spf.B\xc3\x9c"
               "CHER.example") == "_spf.xn--bcher-kva.example");
}

TEST_CASE("names that mail cannot use are refused") {
  for (const char* text :
       {"", ".", "a..example", ".example", "a b.example", "a@example", "-a.example", "a-.example", "192.0.2.1",
        "[192.0.2.1]", "2001:db8::1", "\xff.example", "a.example..", "a/b.example", "12"}) {
    INFO(text);
    CHECK(refused(text));
  }
  CHECK(refused(std::string_view("a\0.example", 10)));
}

TEST_CASE("a label has at most 63 octets and a name at most 253") {
  const std::string label(63, 'a');
  CHECK(parsed(label + ".example") == label + ".example");
  CHECK(refused(label + "a.example"));
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  CHECK(parsed(longest + ".") == longest);
  CHECK(refused(longest + "b"));
}

TEST_CASE("labels are counted and cut from the right") {
  const DomainName name = *DomainName::parse("a.b.example");
  CHECK(name.label_count() == 3);
  CHECK(name.last_labels(1).str() == "example");
  CHECK(name.last_labels(2).str() == "b.example");
  CHECK(name.last_labels(3) == name);
}

TEST_CASE("a name lies within itself and its ancestors at label boundaries only") {
  const DomainName name = *DomainName::parse("a.b.example");
  CHECK(name.is_within(name));
  CHECK(name.is_within(*DomainName::parse("b.example")));
  CHECK_FALSE(DomainName::parse("ab.example")->is_within(*DomainName::parse("b.example")));
  CHECK_FALSE(DomainName::parse("example")->is_within(name));
}
