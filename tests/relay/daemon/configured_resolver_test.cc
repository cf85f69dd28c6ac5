#include "relay/daemon/configured_resolver.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;

TEST_CASE("the resolver is of the kind that the configuration names, and is called so") {
  EventLoop loop;
  Config config;
  CHECK(make_configured_resolver(loop, config).has_value());
  CHECK(resolver_name(config) == "127.0.0.1");

  config.dns_mode = DnsMode::Tls;
  config.resolver_address = *IpAddress::parse("192.0.2.53");
  config.resolver_port = 853;
  const auto unproven = make_configured_resolver(loop, config);
  REQUIRE_FALSE(unproven);
  CHECK_THAT(unproven.error().detail, Catch::Contains("must prove"));
  config.resolver_tls_name = "dns.example";
  CHECK(make_configured_resolver(loop, config).has_value());
  CHECK(resolver_name(config) == "192.0.2.53 (DNS over TLS)");

  config.dns_mode = DnsMode::Recursing;
  const TemporaryDirectory folder;
  config.trust_anchor_file = folder.path() + "/root.key";
  const auto untrusting = make_configured_resolver(loop, config);
  REQUIRE_FALSE(untrusting);
  CHECK_THAT(untrusting.error().detail, Catch::Contains(config.trust_anchor_file));
  std::ofstream(config.trust_anchor_file)
      << ". 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
  CHECK(make_configured_resolver(loop, config).has_value());
  CHECK(resolver_name(config) == "this relay (recursing)");
}
