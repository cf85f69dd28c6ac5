#include "keys/key_name.h"

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

TEST_CASE("a selector is one or more labels, in lower case", "[key_name]") {
  CHECK(parse_selector("2026a").value() == "2026a");
  CHECK(parse_selector("March2026.Madrid").value() == "march2026.madrid");
  CHECK(parse_selector("a-b").value() == "a-b");
  CHECK(parse_selector(std::string(63, 'a')).value() == std::string(63, 'a'));
}

TEST_CASE("a selector of other letters becomes A-labels", "[key_name]") {
  CHECK(parse_selector("bücher").value() == "xn--bcher-kva");
}

TEST_CASE("what is not a selector is refused", "[key_name]") {
  const std::string text =
      GENERATE(as<std::string>(), "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a-.b", "a_b", "_a", "a b", "a/b",
               "../a", "..", "a;b", std::string("a\0b", 3), std::string(64, 'a'), std::string(300, 'a'));
  CAPTURE(text);
  const auto selector = parse_selector(text);
  REQUIRE_FALSE(selector);
  CHECK(selector.error().kind == ErrorKind::Malformed);
}

TEST_CASE("the key record of a selector lies below _domainkey", "[key_name]") {
  const DomainName domain = DomainName::parse("sender.example").value();
  CHECK(key_record_name("2026a", domain).value() == "2026a._domainkey.sender.example");
}

TEST_CASE("a record name that DNS cannot hold is refused", "[key_name]") {
  const std::string label(60, 'a');
  const DomainName domain = DomainName::parse(label + "." + label + "." + label + ".example").value();
  CHECK(key_record_name(std::string(51, 's'), domain).value().size() == 253);
  CHECK_FALSE(key_record_name(std::string(52, 's'), domain));
}

}  // namespace
}  // namespace waxwing
