#include <catch2/catch.hpp>

#include "tests/transport/destination/scripted_dns.h"
#include "transport/destination/destination_plan.h"

using namespace waxwing;
using namespace waxwing::testing;
using Method = TlsRequirement::Method;
using Outcome = DestinationPlan::Outcome;

namespace {

const std::string kDomain = "receiver.example";
const std::string kSmart = "smtp.smart.example";
const std::string kSpare = "spare.smart.example";

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

Route route_to(std::vector<NextHop> hops) {
  Route route;
  route.tls.route = "out";
  route.hops = std::move(hops);
  return route;
}

Route route_by_mx(const std::string& domain) {
  Route route;
  route.tls.route = "out";
  route.tls.by_mx = true;
  route.mx_domain = *DomainName::parse(domain);
  route.mx_port = 587;
  return route;
}

struct Planning {
  explicit Planning(Route route) { options.route = std::make_shared<const Route>(std::move(route)); }

  DestinationPlan run() {
    for (int round = 1; round < 10; ++round) {
      DestinationNeeds needs;
      auto plan = plan_destination(*DomainName::parse(kDomain), options, sts, answers, needs);
      if (plan) return *plan;
      if (needs.sts_fetch) sts.fetch_done = true;
      for (const Question& question : std::vector(answers.missing())) answers.add(question, dns.answer(question));
    }
    FAIL("planning does not come to an end");
    return {};
  }
  [[nodiscard]] bool asked_about(std::string_view name) const {
    for (const auto& [question, answer] : answers.known()) {
      if (question.name.find(name) != std::string::npos) return true;
    }
    return false;
  }

  ScriptedDns dns;
  StsState sts;
  DestinationOptions options;
  Answers answers;
};

}  // namespace

TEST_CASE("a route goes to its hosts in order, and nothing is asked about the recipient domain") {
  Planning planning(route_to({{kSmart, {}, 587}, {kSpare, {}, 2525}}));
  planning.dns.a(kSmart, Status::Insecure, {"192.0.2.1"}).a(kSpare, Status::Insecure, {"192.0.2.2"});
  const DestinationPlan plan = planning.run();
  CHECK(plan.outcome == Outcome::Deliver);
  CHECK(plan.route == "out");
  CHECK(plan.reason == "2 of 2 hosts of route 'out' can be used now (RFC 5321 §5.1).");
  REQUIRE(plan.hosts.size() == 2);
  CHECK(plan.hosts[0].name == kSmart);
  CHECK(plan.hosts[0].port == 587);
  CHECK(plan.hosts[0].addresses == std::vector{ip("192.0.2.1")});
  CHECK(plan.hosts[1].port == 2525);
  for (const PlannedHost& host : plan.hosts) CHECK(host.requirement.method == Method::Pkix);
  CHECK_FALSE(planning.asked_about(kDomain));
  CHECK_FALSE(planning.asked_about("_mta-sts"));
}

TEST_CASE("the TLSA records of a next hop are those of its port") {
  Planning planning(route_to({{kSmart, {}, 587}}));
  planning.dns.a(kSmart, Status::Secure, {"192.0.2.1"}).aaaa(kSmart, Status::Secure, {});
  planning.dns.set("_587._tcp." + kSmart, RecordType::TLSA, Status::Secure, {TlsaRdata{tlsa_3_1_1()}});
  const DestinationPlan plan = planning.run();
  CHECK(plan.hosts[0].requirement.method == Method::Dane);
  CHECK(plan.hosts[0].requirement.level == TlsLevel::Authenticated);
  CHECK_FALSE(planning.asked_about("_25._tcp"));
}

TEST_CASE("an address needs no lookup, and no name is said to it in the handshake") {
  Route route = route_to({{{}, ip("192.0.2.1"), 2525}});
  route.tls.pins = {std::string(32, 'p')};
  Planning planning(std::move(route));
  const DestinationPlan plan = planning.run();
  CHECK(planning.answers.known().empty());
  CHECK(plan.hosts[0].name == "[192.0.2.1]");
  CHECK(plan.hosts[0].requirement.method == Method::Pin);
  CHECK(plan.hosts[0].requirement.server_name.empty());
}

TEST_CASE("a next hop may have a private address, and the MX of another domain may not") {
  Planning named(route_to({{kSmart, {}, 25}}));
  named.dns.a(kSmart, Status::Insecure, {"10.0.0.1"});
  CHECK(named.run().outcome == Outcome::Deliver);
  Planning by_mx(route_by_mx("smart.example"));
  by_mx.dns.mx("smart.example", Status::Insecure, {{10, kSmart}}).a(kSmart, Status::Insecure, {"10.0.0.1"});
  CHECK(by_mx.run().status == "4.4.4");
}

TEST_CASE("a next hop whose lookup fails is passed over, and no next hop that can be used defers") {
  Planning planning(route_to({{kSmart, {}, 25}, {kSpare, {}, 25}}));
  planning.dns.a(kSmart, Status::Failed, {}).a(kSpare, Status::Insecure, {"192.0.2.2"});
  const DestinationPlan plan = planning.run();
  CHECK(plan.outcome == Outcome::Deliver);
  CHECK(plan.hosts[0].requirement.method == Method::Defer);
  Planning none(route_to({{kSmart, {}, 25}}));
  none.dns.nxdomain(kSmart, RecordType::A, Status::Secure).nxdomain(kSmart, RecordType::AAAA, Status::Secure);
  CHECK(none.run().outcome == Outcome::Defer);
}

TEST_CASE("a route that leads back to this relay is not used, by port, too") {
  Planning planning(route_to({{kSmart, {}, 587}}));
  planning.dns.a(kSmart, Status::Insecure, {"192.0.2.1"});
  planning.options.own_endpoints = {{ip("192.0.2.1"), 25}};
  CHECK(planning.run().outcome == Outcome::Deliver);
  planning.options.own_endpoints = {{ip("192.0.2.1"), 587}};
  const DestinationPlan plan = planning.run();
  CHECK(plan.outcome == Outcome::Defer);
  CHECK(plan.status == "4.4.6");
  CHECK(plan.reason == "Route 'out' is not used by smtp.smart.example, which is this relay itself.");
}

TEST_CASE("a route by MX asks the MX records and the policy of its own domain, at its port") {
  Planning planning(route_by_mx("smart.example"));
  planning.options.allow_non_global_addresses = true;
  planning.dns.mx("smart.example", Status::Secure, {{10, kSmart}});
  planning.dns.a(kSmart, Status::Secure, {"192.0.2.1"}).aaaa(kSmart, Status::Secure, {});
  planning.dns.set("_587._tcp." + kSmart, RecordType::TLSA, Status::Secure, {TlsaRdata{tlsa_3_1_1()}});
  const DestinationPlan plan = planning.run();
  CHECK(plan.outcome == Outcome::Deliver);
  CHECK(plan.route == "out");
  CHECK(plan.reason.starts_with("Route 'out' goes by the MX records of smart.example: "));
  CHECK(plan.hosts[0].requirement.level == TlsLevel::Authenticated);
  CHECK(plan.hosts[0].port == 587);
  CHECK(planning.asked_about("_mta-sts.smart.example"));
  CHECK_FALSE(planning.asked_about(kDomain));
}

TEST_CASE("a route is never a reason to bounce") {
  Planning gone(route_by_mx("smart.example"));
  gone.dns.nxdomain("smart.example", RecordType::MX, Status::Secure);
  const DestinationPlan no_domain = gone.run();
  CHECK(no_domain.outcome == Outcome::Defer);
  CHECK(no_domain.status == "4.1.2");
  Planning null(route_by_mx("smart.example"));
  null.dns.mx("smart.example", Status::Secure, {{0, "."}});
  CHECK(null.run().status == "4.1.10");
  Planning loop(route_by_mx("smart.example"));
  loop.dns.mx("smart.example", Status::Insecure, {{10, kSmart}}).a(kSmart, Status::Insecure, {"192.0.2.1"});
  loop.options.own_endpoints = {{ip("192.0.2.1"), 587}};
  CHECK(loop.run().status == "4.4.6");
}

TEST_CASE("what deliveries proved about a domain is not missed on a route") {
  Planning planning(route_by_mx("smart.example"));
  planning.options.allow_non_global_addresses = true;
  planning.dns.mx("smart.example", Status::Insecure, {{10, kSmart}}).a(kSmart, Status::Insecure, {"192.0.2.1"});
  planning.options.remembered = RememberedTls{"dane", {}, {}};
  planning.options.lost_tls = LostTls::Defer;
  CHECK(planning.run().outcome == Outcome::Deliver);
}

TEST_CASE("REQUIRETLS goes by a named host that proves its name, and rules raise what a route demands") {
  Planning planning(route_to({{kSmart, {}, 587}}));
  planning.dns.a(kSmart, Status::Insecure, {"192.0.2.1"});
  planning.options.demands.request = TlsRequest::Required;
  CHECK(planning.run().outcome == Outcome::Deliver);
  planning.options.demands = {TlsLevel::Authenticated, TlsRequest::None, {}};
  const DestinationPlan plan = planning.run();
  CHECK(plan.outcome == Outcome::Defer);
  CHECK(plan.status == "4.7.5");
}
