#include "relay/config/preflight_mode.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

PreflightMode mode(const Config& config, std::string_view tenant, std::string_view domain) {
  return preflight_mode(config, tenant, DomainName::parse(domain).value());
}

TEST_CASE("without a rule the mode of all mail holds") {
  Config config;
  config.preflight_mode = PreflightMode::Hold;
  CHECK(mode(config, "shop", "example.org") == PreflightMode::Hold);
}

TEST_CASE("a rule for a tenant holds for its mail alone") {
  Config config;
  config.preflight_rules = {{"shop", "", PreflightMode::Warn}};
  CHECK(mode(config, "shop", "a.example") == PreflightMode::Warn);
  CHECK(mode(config, "shop2", "a.example") == PreflightMode::Enforce);
}

TEST_CASE("a rule for a domain holds for the domains below it, and not for those that only end alike") {
  Config config;
  config.preflight_rules = {{"", "a.example", PreflightMode::Hold}};
  CHECK(mode(config, "shop", "a.example") == PreflightMode::Hold);
  CHECK(mode(config, "shop", "news.a.example") == PreflightMode::Hold);
  CHECK(mode(config, "shop", "nota.example") == PreflightMode::Enforce);
  CHECK(mode(config, "shop", "example") == PreflightMode::Enforce);
}

TEST_CASE("the longest domain decides, then the tenant, in whatever order the rules stand") {
  const std::vector<PreflightRule> rules = {{"shop", "", PreflightMode::Warn},
                                            {"", "a.example", PreflightMode::Enforce},
                                            {"shop", "a.example", PreflightMode::Hold},
                                            {"", "news.a.example", PreflightMode::Warn}};
  Config config;
  for (const bool reversed : {false, true}) {
    config.preflight_rules = rules;
    if (reversed) config.preflight_rules.assign(rules.rbegin(), rules.rend());
    CHECK(mode(config, "shop", "b.example") == PreflightMode::Warn);
    CHECK(mode(config, "other", "a.example") == PreflightMode::Enforce);
    CHECK(mode(config, "shop", "a.example") == PreflightMode::Hold);
    CHECK(mode(config, "shop", "news.a.example") == PreflightMode::Warn);
    CHECK(mode(config, "other", "b.example") == PreflightMode::Enforce);
  }
}

}  // namespace
}  // namespace waxwing
