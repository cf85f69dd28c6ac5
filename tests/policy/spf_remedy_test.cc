#include "policy/spf_remedy.h"

#include <catch2/catch.hpp>

#include "policy/spf.h"
#include "tests/support/scripted_dns.h"

namespace waxwing {
namespace {

using testing::ScriptedDns;

const IpAddress kV4 = *IpAddress::parse("192.0.2.25");
const IpAddress kV6 = *IpAddress::parse("2001:db8::25");

std::string remedy(const std::vector<std::string>& published, const std::vector<IpAddress>& missing) {
  const auto record = spf_record_with(published, missing);
  REQUIRE(record);
  return *record;
}

SpfResult result(const std::string& record, const IpAddress& client, ScriptedDns dns = {}) {
  dns.txt("a.example", record);
  SpfInput input;
  input.client = client;
  input.domain = input.sender_domain = "a.example";
  input.sender_local = "postmaster";
  input.helo = "relay.example";
  return dns.resolve([&](Answers& answers) { return check_host(input, answers); }).result;
}

TEST_CASE("a domain without SPF gets a record for the addresses and nobody else") {
  const std::string record = remedy({}, {kV4, kV6});
  CHECK(record == "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all");
  CHECK(result(record, kV4) == SpfResult::Pass);
  CHECK(result(record, kV6) == SpfResult::Pass);
  CHECK(result(record, *IpAddress::parse("192.0.2.26")) == SpfResult::Fail);
  CHECK(remedy({"google-site-verification=x", "v=spf10 all"}, {kV4}) == "v=spf1 ip4:192.0.2.25 -all");
}

TEST_CASE("what is published stays, whatever ends it") {
  CHECK(remedy({"v=spf1 mx ~all"}, {kV4}) == "v=spf1 ip4:192.0.2.25 mx ~all");
  CHECK(remedy({"v=spf1"}, {kV4}) == "v=spf1 ip4:192.0.2.25");
  CHECK(remedy({"V=SPF1  A   -All "}, {kV4}) == "v=spf1 ip4:192.0.2.25 A -All");
  CHECK(remedy({"v=spf1 redirect=_spf.b.example"}, {kV4}) == "v=spf1 ip4:192.0.2.25 redirect=_spf.b.example");
  CHECK(remedy({"v=spf1 exp=why.b.example a -all"}, {kV4}) == "v=spf1 ip4:192.0.2.25 a -all exp=why.b.example");
}

TEST_CASE("the new terms come before whatever would answer otherwise") {
  CHECK(result(remedy({"v=spf1 -ip4:192.0.2.0/24 ?all"}, {kV4}), kV4) == SpfResult::Pass);
  CHECK(result(remedy({"v=spf1 ?exists:%{i}.b.example -all"}, {kV4}), kV4) == SpfResult::Pass);
  std::string long_record = "v=spf1";
  for (int i = 0; i < 12; ++i) long_record += " include:i" + std::to_string(i) + ".b.example";
  CHECK(result(long_record + " -all", kV4) == SpfResult::PermError);
  CHECK(result(remedy({long_record + " -all"}, {kV4}), kV4) == SpfResult::Pass);
}

TEST_CASE("several records become one, without repeated terms and with one end") {
  CHECK(remedy({"v=spf1 a mx ~all", "text", "v=spf1 mx ip4:192.0.2.1 -all"}, {kV4}) ==
        "v=spf1 ip4:192.0.2.25 a mx ip4:192.0.2.1 ~all");
  CHECK(remedy({"v=spf1 a redirect=b.example", "v=spf1 mx -all"}, {}) == "v=spf1 a mx -all");
  const std::string record = remedy({"v=spf1 exp=a.example -all", "v=spf1 exp=b.example ~all"}, {kV4});
  CHECK(record == "v=spf1 ip4:192.0.2.25 -all exp=a.example");
  CHECK(result(record, kV4) == SpfResult::Pass);
}

TEST_CASE("a record that breaks the grammar is for people to repair") {
  const std::vector<std::string> published = {"v=spf1 ipv4:192.0.2.1 -all"};
  const std::vector<IpAddress> missing = {kV4};
  const auto record = spf_record_with(published, missing);
  REQUIRE_FALSE(record);
  CHECK(record.error().detail.find("ipv4") != std::string::npos);
}

}  // namespace
}  // namespace waxwing
