#include "policy/spf_record.h"

#include <catch2/catch.hpp>

using namespace waxwing;
using Mechanism = SpfDirective::Mechanism;

TEST_CASE("an SPF record begins with its version and a space or nothing") {
  CHECK(is_spf_record("v=spf1"));
  CHECK(is_spf_record("V=SPF1 -all"));
  CHECK_FALSE(is_spf_record("v=spf10"));
  CHECK_FALSE(is_spf_record("v=spf1\t-all"));
  CHECK_FALSE(is_spf_record(" v=spf1"));
}

TEST_CASE("directives and modifiers are read with their arguments") {
  const auto record = SpfRecord::parse(
      "v=spf1  ip4:192.0.2.0/24 ?IP6:2001:db8::/32 ~a/24//64 mx:m.example//48 x-y=%{d} redirect=r.example "
      "exp=e.example -all ");
  REQUIRE(record);
  REQUIRE(record->directives.size() == 5);
  CHECK(record->directives[0].network->str() == "192.0.2.0");
  CHECK(record->directives[0].ip4_prefix == 24);
  CHECK(record->directives[1].qualifier == '?');
  CHECK(record->directives[1].ip6_prefix == 32);
  CHECK(record->directives[2].mechanism == Mechanism::A);
  CHECK(record->directives[2].ip4_prefix == 24);
  CHECK(record->directives[2].ip6_prefix == 64);
  CHECK_FALSE(record->directives[2].domain);
  CHECK(record->directives[3].ip4_prefix == 32);
  CHECK(record->directives[3].ip6_prefix == 48);
  CHECK(record->directives[3].domain);
  CHECK(record->directives[4].mechanism == Mechanism::All);
  CHECK(record->redirect);
  CHECK(record->explanation);
}

TEST_CASE("an IPv4-mapped ip6 network holds no client") {
  const auto record = SpfRecord::parse("v=spf1 ip6:::ffff:192.0.2.0/120");
  REQUIRE(record);
  CHECK_FALSE(record->directives[0].network);
}

TEST_CASE("one wrong term anywhere spoils an SPF record and is named") {
  for (const char* term : {"foo",
                           "all:x",
                           "include",
                           "include:",
                           "a:",
                           "a:example",
                           "a/",
                           "a/33",
                           "a/024",
                           "a//129",
                           "a/24/64",
                           "mx/-1",
                           "ip4",
                           "ip4:192.0.2",
                           "ip4:192.0.2.1/33",
                           "ip4:2001:db8::1",
                           "ip6:192.0.2.1",
                           "ip6:::1/129",
                           "ip4:192.0.2.1/",
                           "exists",
                           "redirect=",
                           "redirect=%{r}.example",
                           "exp=",
                           "++all",
                           "-",
                           "x=%{z}",
                           "=x",
                           "1=x",
                           "a\x01",
                           "ptr/24"}) {
    INFO(term);
    const auto record = SpfRecord::parse(std::string("v=spf1 ip4:192.0.2.1 ") + term + " -all");
    CHECK_FALSE(record);
  }
  CHECK_FALSE(SpfRecord::parse("v=spf1 redirect=a.example redirect=b.example"));
  CHECK_FALSE(SpfRecord::parse("v=spf1 exp=a.example exp=b.example"));
  CHECK(SpfRecord::parse("v=spf1 a:b\x81.example").error().detail.find("a:b?.example") != std::string::npos);
}
