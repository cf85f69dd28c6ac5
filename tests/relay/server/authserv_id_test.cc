#include "relay/server/authserv_id.h"

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

bool claims(std::string_view value, std::string_view ours = "relay.example") {
  return claims_authserv_id(value, DomainName::parse(ours).value());
}

TEST_CASE("our name is found whatever its case, with and without version and results") {
  CHECK(claims(" relay.example; dkim=pass"));
  CHECK(claims(" RELAY.Example; dkim=pass"));
  CHECK(claims("relay.example 1; none"));
  CHECK(claims("relay.example"));
  CHECK(claims("relay.example.; none"));
}

TEST_CASE("our name is found through folds, comments and quotes") {
  CHECK(claims("\r\n\trelay.example; none"));
  CHECK(claims(" (a (nested) \\) comment) relay.example(v)1; none"));
  CHECK(claims(" \"relay.example\"; none"));
  CHECK(claims(" \"rel\\ay.example\"; none"));
  CHECK(claims(" \"relay\".example; none"));
  CHECK(claims("()()\"\r\n relay.example\" ; none"));
}

TEST_CASE("our name is found as U-label and as A-label") {
  CHECK(claims("r\xc3\xa4lay.example; none", "r\xc3\xa4lay.example"));
}

TEST_CASE("other names are not ours, nor is ours in another place") {
  CHECK_FALSE(claims("mx.relay.example; none"));
  CHECK_FALSE(claims("relay.example.net; none"));
  CHECK_FALSE(claims("other.example (relay.example); dkim=pass header.d=relay.example"));
  CHECK_FALSE(claims("other.example; relay.example"));
  CHECK_FALSE(claims(""));
  CHECK_FALSE(claims("   "));
}

TEST_CASE("a field that programs read differently is ours when it has our name anywhere") {
  CHECK(claims("(unclosed Relay.example; none"));
  CHECK(claims("\"unclosed relay.example; none"));
  CHECK_FALSE(claims("(unclosed other.example; none"));
}

TEST_CASE("a message with results under our name is refused, one with those of others is not") {
  const std::string header = "Authentication-Results: Relay.Example; dkim=pass\r\nFrom: a@b.example\r\n";
  const auto fields = parse_header_block(header);
  REQUIRE(fields);
  const auto refusal = check_results(*fields, "relay.example");
  REQUIRE(refusal);
  CHECK(refusal->code == 550);
  CHECK_FALSE(check_results(*fields, "other.example"));
}

TEST_CASE("results under our name are left out of a header, and nothing else") {
  const std::string header =
      "Authentication-Results: relay.example; dkim=pass\r\nReceived: x\r\nauthentication-results: (c)\r\n "
      "relay.example;"
      " none\r\nAuthentication-Results: other.example; none\r\nFrom: a@b.example\r\n";
  CHECK(without_results_of(*parse_header_block(header), "relay.example") ==
        "Received: x\r\nAuthentication-Results: other.example; none\r\nFrom: a@b.example\r\n");
}

TEST_CASE("a long field costs no more than its octets") {
  CHECK_FALSE(claims(std::string(1'000'000, '(')));
  CHECK_FALSE(claims(std::string(1'000'000, '"')));
}

}  // namespace
}  // namespace waxwing
