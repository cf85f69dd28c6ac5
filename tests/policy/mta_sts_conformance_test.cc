#include <catch2/catch.hpp>

#include "policy/mta_sts.h"
#include "tests/policy/conformance_data.h"

using namespace waxwing;
using waxwing::testing::conformance_data;

TEST_CASE("published MTA-STS record vectors are judged as RFC 8461 says", "[conformance]") {
  const auto cases = conformance_data("mta-sts/mtasts-public/records.json");
  if (!cases) return;
  for (const auto& entry : *cases) {
    INFO(entry.at("id"));
    const auto id = parse_sts_record(entry.at("txt").get<std::string>());
    CHECK(id.has_value() == entry.at("rfc_valid").get<bool>());
    if (id && entry.at("fields").is_object()) CHECK(*id == entry["fields"]["id"].get<std::string>());
  }
}

TEST_CASE("published MTA-STS policy vectors are judged as RFC 8461 says", "[conformance]") {
  const auto cases = conformance_data("mta-sts/mtasts-public/policies.json");
  if (!cases) return;
  for (const auto& entry : *cases) {
    INFO(entry.at("id"));
    const auto policy = StsPolicy::parse(entry.at("policy").get<std::string>());
    CHECK(policy.has_value() == entry.at("rfc_valid").get<bool>());
    if (!policy || !entry.at("expect").is_object()) continue;
    const auto& expect = entry["expect"];
    CHECK(sts_mode_name(policy->mode) == expect.at("mode").get<std::string>());
    CHECK(policy->max_age_seconds == expect.at("max_age").get<std::uint32_t>());
    CHECK(policy->mx_patterns == expect.at("mx").get<std::vector<std::string>>());
  }
}

TEST_CASE("published MTA-STS host patterns match as RFC 8461 says", "[conformance]") {
  const auto cases = conformance_data("mta-sts/mtasts-public/mx-match.json");
  if (!cases) return;
  for (const auto& entry : *cases) {
    if (entry.contains("note")) continue;  // names that are not in canonical form, which callers never pass
    INFO(entry.at("id"));
    const StsPolicy policy{StsMode::Enforce, 1, entry.at("patterns").get<std::vector<std::string>>()};
    CHECK(policy.covers(entry.at("host").get<std::string>()) == entry.at("match").get<bool>());
  }
}
