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

const std::vector<IpAddress> kLocal = {ip("127.0.0.1"), ip("10.0.0.5"), ip("2001:db8::5")};

}  // namespace

TEST_CASE("a listener on the submission port makes no address a mail host of ours") {
  CHECK(own_mail_addresses(config_with("0.0.0.0", 587), kLocal).empty());
}

TEST_CASE("a listener on port 25 makes its address ours, and the egress addresses that lead to it") {
  CHECK(own_mail_addresses(config_with("10.0.0.5", 25), kLocal) ==
        std::vector<IpAddress>{ip("10.0.0.5"), ip("192.0.2.25")});
  CHECK(own_mail_addresses(config_with("127.0.0.9", 25), kLocal) == std::vector<IpAddress>{ip("127.0.0.9")});
}

TEST_CASE("a listener on every address makes all addresses of its family ours") {
  CHECK(own_mail_addresses(config_with("0.0.0.0", 25), kLocal) ==
        std::vector<IpAddress>{ip("10.0.0.5"), ip("127.0.0.1"), ip("192.0.2.25")});
  CHECK(own_mail_addresses(config_with("::", 25), kLocal) ==
        std::vector<IpAddress>{ip("192.0.2.25"), ip("2001:db8::5")});
}

TEST_CASE("the port that counts is the one to which mail is sent") {
  Config config = config_with("127.0.0.9", 2525);
  CHECK(own_mail_addresses(config, kLocal).empty());
  config.smtp_port = 2525;
  CHECK(own_mail_addresses(config, kLocal).size() == 1);
}

TEST_CASE("the addresses of this machine can be told") {
  const auto local = local_addresses();
  CHECK(std::ranges::any_of(local, [](const IpAddress& address) { return address.is_loopback(); }));
}
