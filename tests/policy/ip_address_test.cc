#include "policy/ip_address.h"

#include <catch2/catch.hpp>

using waxwing::IpAddress;

namespace {
IpAddress ip(std::string_view text) {
  auto address = IpAddress::parse(text);
  REQUIRE(address);
  return *address;
}
}  // namespace

TEST_CASE("IPv6 text is canonical") {
  CHECK(ip("2001:DB8:0:0:1:0:0:1").str() == "2001:db8::1:0:0:1");
  CHECK(ip("2001:db8:0:1:1:1:1:1").str() == "2001:db8:0:1:1:1:1:1");
  CHECK(ip("::").str() == "::");
  CHECK(ip("::1").str() == "::1");
  CHECK(ip("1::").str() == "1::");
  CHECK(ip("::1:1").str() == "::1:1");
  CHECK(ip("2001:0:0:1:0:0:0:1").str() == "2001:0:0:1::1");
}

TEST_CASE("an IPv4-mapped address is the IPv4 address") {
  CHECK(ip("::ffff:192.0.2.1") == ip("192.0.2.1"));
  CHECK(ip("::ffff:192.0.2.1").str() == "192.0.2.1");
}

TEST_CASE("text that is not an address is refused") {
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "[::1]", "fe80::1%eth0", ":::", "0x1.2.3.4"}) {
    INFO(text);
    CHECK_FALSE(IpAddress::parse(text));
  }
  CHECK_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
  const std::uint8_t octets[5] = {};
  CHECK_FALSE(IpAddress::from_octets(octets));
}

TEST_CASE("a prefix compares bits and never across families") {
  CHECK(ip("192.0.2.129").is_in(ip("192.0.2.128"), 25));
  CHECK_FALSE(ip("192.0.2.127").is_in(ip("192.0.2.128"), 25));
  CHECK(ip("8.8.8.8").is_in(ip("0.0.0.0"), 0));
  CHECK_FALSE(ip("2001:db8::1").is_in(ip("0.0.0.0"), 0));
  CHECK(ip("2001:db8::1").is_in(ip("2001:db8::1"), 128));
  CHECK_FALSE(ip("2001:db8::2").is_in(ip("2001:db8::1"), 128));
  CHECK_FALSE(ip("192.0.2.1").is_in(ip("192.0.2.1"), 33));
}

TEST_CASE("addresses that do not reach somebody else's host are not global") {
  for (const char* text : {"0.1.2.3",         "10.1.1.1",    "100.127.0.1",   "127.0.0.1",   "169.254.169.254",
                           "172.31.0.1",      "192.168.1.1", "198.19.0.1",    "203.0.113.9", "224.0.0.1",
                           "255.255.255.255", "::",          "::1",           "fe80::1",     "fd00::1",
                           "ff02::1",         "2001:db8::1", "2002:a00:1::1", "3fff::1",     "64:ff9b::10.0.0.1",
                           "::ffff:10.0.0.1"}) {
    INFO(text);
    CHECK_FALSE(ip(text).is_global());
  }
  for (const char* text : {"8.8.8.8", "100.128.0.1", "172.32.0.1", "2a00::1", "2606:4700::1111", "64:ff9b::8.8.8.8"}) {
    INFO(text);
    CHECK(ip(text).is_global());
  }
}

TEST_CASE("loopback is 127.0.0.0/8 and ::1") {
  CHECK(ip("127.9.9.9").is_loopback());
  CHECK(ip("::1").is_loopback());
  CHECK_FALSE(ip("::2").is_loopback());
  CHECK_FALSE(ip("1::1").is_loopback());
}
