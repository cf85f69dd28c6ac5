#include "relay/daemon/own_addresses.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

Config config_with(std::string_view address, std::uint16_t port) {
  Config config;
  config.listeners[0].address = ip(address);
  config.listeners[0].port = port;
  config.egress_addresses = {ip("192.0.2.25")};
  return config;
}

using Endpoints = std::vector<MailEndpoint>;

const std::vector<IpAddress> kLocal = {ip("127.0.0.1"), ip("10.0.0.5"), ip("2001:db8::5")};

}  // namespace

TEST_CASE("a listener makes its address and port ours, and the egress addresses that lead to it") {
  CHECK(own_mail_endpoints(config_with("10.0.0.5", 25), kLocal) ==
        Endpoints{{ip("10.0.0.5"), 25}, {ip("192.0.2.25"), 25}});
  CHECK(own_mail_endpoints(config_with("127.0.0.9", 587), kLocal) == Endpoints{{ip("127.0.0.9"), 587}});
}

TEST_CASE("a listener on every address makes all addresses of its family ours") {
  CHECK(own_mail_endpoints(config_with("0.0.0.0", 25), kLocal) ==
        Endpoints{{ip("10.0.0.5"), 25}, {ip("127.0.0.1"), 25}, {ip("192.0.2.25"), 25}});
  CHECK(own_mail_endpoints(config_with("::", 25), kLocal) ==
        Endpoints{{ip("192.0.2.25"), 25}, {ip("2001:db8::5"), 25}});
}

TEST_CASE("a listener on a unix socket has no address") {
  Config config = config_with("127.0.0.1", 587);
  config.listeners[0].socket = "/run/waxwing/submission";
  CHECK(own_mail_endpoints(config, kLocal).empty());
}

TEST_CASE("the addresses of this machine can be told") {
  const auto local = local_addresses();
  CHECK(std::ranges::any_of(local, [](const IpAddress& address) { return address.is_loopback(); }));
}
