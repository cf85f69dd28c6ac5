#include "relay/config/tls_rules.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);

TlsDemands demands(const Config& config, std::string_view tenant, std::string_view domain, WallTime now = kNow) {
  return tls_demands(config, tenant, DomainName::parse(domain).value(), TlsRequest::Required, now);
}

TEST_CASE("the highest minimum of all rules that fit holds") {
  Config config;
  CHECK(demands(config, "shop", "a.example").minimum == TlsLevel::Encrypted);
  CHECK(demands(config, "shop", "a.example").request == TlsRequest::Required);
  config.tls_rules = {{"shop", "", TlsLevel::Verified},
                      {"", "bank.example", TlsLevel::Authenticated},
                      {"shop", "mail.bank.example", TlsLevel::Encrypted}};
  CHECK(demands(config, "shop", "a.example").minimum == TlsLevel::Verified);
  CHECK(demands(config, "other", "a.example").minimum == TlsLevel::Encrypted);
  CHECK(demands(config, "other", "bank.example").minimum == TlsLevel::Authenticated);
  CHECK(demands(config, "shop", "mail.bank.example").minimum == TlsLevel::Authenticated);
  CHECK(demands(config, "other", "notbank.example").minimum == TlsLevel::Encrypted);
  config.minimum_tls = TlsLevel::Authenticated;
  CHECK(demands(config, "shop", "a.example").minimum == TlsLevel::Authenticated);
}

TEST_CASE("an exception holds for its domain alone, until the day on which it expires") {
  Config config;
  config.tls_exceptions = {{"a.example", TlsLevel::Verified, "why", kNow + Seconds(1)}};
  REQUIRE(demands(config, "shop", "a.example").exception);
  CHECK(*demands(config, "shop", "a.example").exception == TlsException{TlsLevel::Verified, "why", kNow + Seconds(1)});
  CHECK_FALSE(demands(config, "shop", "mail.a.example").exception);
  CHECK_FALSE(demands(config, "shop", "a.example", kNow + Seconds(1)).exception);
}

}  // namespace
}  // namespace waxwing
