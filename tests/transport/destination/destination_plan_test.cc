#include "transport/destination/destination_plan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/transport/destination/scripted_dns.h"

using namespace waxwing;
using namespace waxwing::testing;
using Method = TlsRequirement::Method;
using Outcome = DestinationPlan::Outcome;

namespace {

const std::string kDomain = "receiver.example";
const std::string kMx1 = "mx1.hosting.example";
const std::string kMx2 = "mx2.hosting.example";

struct Planning {
  ScriptedDns dns;
  StsState sts;
  DestinationOptions options{25, {}, 0, true};
  Answers answers;
  int rounds = 0;
  std::string fetched_id;

  // Asks and answers until there is a plan; a wanted fetch fails unless sts.fetched is set.
  DestinationPlan run() {
    for (rounds = 1; rounds < 10; ++rounds) {
      DestinationNeeds needs;
      auto plan = plan_destination(*DomainName::parse(kDomain), options, sts, answers, needs);
      if (plan) return *plan;
      REQUIRE((needs.sts_fetch || !answers.missing().empty()));
      if (needs.sts_fetch) {
        fetched_id = needs.sts_policy_id;
        sts.fetch_done = true;
        sts.fetch_failure = "connection refused";
      }
      for (const Question& question : std::vector(answers.missing())) answers.add(question, dns.answer(question));
    }
    FAIL("planning does not come to an end");
    return {};
  }

  bool asked(const std::string& name, RecordType type) const { return answers.known().contains({name, type}); }
};

// One MX host with the given DNSSEC state of each RRset, and no MTA-STS.
Planning one_host(Status mx, Status a, Status aaaa) {
  Planning planning;
  planning.dns.mx(kDomain, mx, {{10, kMx1}});
  planning.dns.a(kMx1, a, {"192.0.2.1"});
  planning.dns.aaaa(kMx1, aaaa, {"2001:db8::1"});
  return planning;
}

CachedStsPolicy policy(const std::string& id, StsMode mode, std::vector<std::string> mx) {
  CachedStsPolicy result;
  result.policy_id = id;
  result.policy = {mode, 86'400, std::move(mx)};
  result.expires = WallTime(std::chrono::hours(24 * 365 * 60));
  return result;
}

}  // namespace

TEST_CASE("MX and the MTA-STS record are asked first and together") {
  Answers answers;
  DestinationNeeds needs;
  CHECK_FALSE(plan_destination(*DomainName::parse(kDomain), {}, {}, answers, needs));
  CHECK(answers.missing() ==
        std::vector<Question>{{kDomain, RecordType::MX}, {"_mta-sts.receiver.example", RecordType::TXT}});
}

TEST_CASE("a plan takes three rounds of questions at most") {
  Planning planning = one_host(Status::Secure, Status::Secure, Status::Secure);
  planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1()});
  planning.run();
  CHECK(planning.rounds == 4);
}

TEST_CASE("the answer to the MX question decides whether there is a host at all") {
  struct Row {
    const char* what;
    void (*set)(ScriptedDns&);
    Outcome outcome;
    const char* status;
  };
  static const Row kRows[] = {
      {"secure NXDOMAIN", [](ScriptedDns& d) { d.nxdomain(kDomain, RecordType::MX, Status::Secure); }, Outcome::Bounce,
       "5.1.2"},
      {"insecure NXDOMAIN", [](ScriptedDns& d) { d.nxdomain(kDomain, RecordType::MX, Status::Insecure); },
       Outcome::Bounce, "5.1.2"},
      {"failed, looking like NXDOMAIN", [](ScriptedDns& d) { d.nxdomain(kDomain, RecordType::MX, Status::Failed); },
       Outcome::Defer, "4.4.3"},
      {"bogus, looking like NXDOMAIN", [](ScriptedDns& d) { d.nxdomain(kDomain, RecordType::MX, Status::Bogus); },
       Outcome::Defer, "4.4.3"},
      {"failed", [](ScriptedDns& d) { d.mx(kDomain, Status::Failed, {}).a(kDomain, Status::Insecure, {"192.0.2.9"}); },
       Outcome::Defer, "4.4.3"},
      {"bogus", [](ScriptedDns& d) { d.mx(kDomain, Status::Bogus, {}).a(kDomain, Status::Insecure, {"192.0.2.9"}); },
       Outcome::Defer, "4.4.3"},
      {"bogus with records",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Bogus, {{10, kMx1}}).a(kMx1, Status::Insecure, {"192.0.2.1"});
       },
       Outcome::Defer, "4.4.3"},
      {"null MX, insecure",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Insecure, {{0, "."}});
       },
       Outcome::Bounce, "5.1.10"},
      {"null MX, secure",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Secure, {{0, "."}});
       },
       Outcome::Bounce, "5.1.10"},
      {"null MX, bogus",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Bogus, {{0, "."}});
       },
       Outcome::Defer, "4.4.3"},
      {"null MX beside a host",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Insecure, {{0, "."}, {10, kMx1}}).a(kMx1, Status::Insecure, {"192.0.2.1"});
       },
       Outcome::Deliver, ""},
      {"implicit MX", [](ScriptedDns& d) { d.a(kDomain, Status::Insecure, {"192.0.2.9"}); }, Outcome::Deliver, ""},
      {"implicit MX without address", [](ScriptedDns&) {}, Outcome::Bounce, "5.4.4"},
      {"implicit MX with a failed address lookup", [](ScriptedDns& d) { d.a(kDomain, Status::Failed, {}); },
       Outcome::Defer, "4.4.3"},
      {"implicit MX with a bogus address", [](ScriptedDns& d) { d.aaaa(kDomain, Status::Bogus, {"2001:db8::9"}); },
       Outcome::Defer, "4.4.3"},
      {"only an IPv4 address as MX",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Insecure, {{10, "192.0.2.7"}});
       },
       Outcome::Defer, "4.4.4"},
      {"only an IPv6 address as MX",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Insecure, {{10, "2001:db8::7"}});
       },
       Outcome::Defer, "4.4.4"},
      {"only nonsense as MX",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Insecure, {{10, "a\\000b.example"}});
       },
       Outcome::Defer, "4.4.4"},
      {"MX host without address",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Insecure, {{10, kMx1}});
       },
       Outcome::Defer, "4.4.4"},
      {"MX host that does not exist",
       [](ScriptedDns& d) {
         d.mx(kDomain, Status::Insecure, {{10, kMx1}})
             .nxdomain(kMx1, RecordType::A, Status::Insecure)
             .nxdomain(kMx1, RecordType::AAAA, Status::Insecure);
       },
       Outcome::Defer, "4.4.4"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.what);
    Planning planning;
    row.set(planning.dns);
    const auto plan = planning.run();
    CHECK(plan.outcome == row.outcome);
    CHECK(plan.status == row.status);
    CHECK_FALSE(plan.reason.empty());
    CHECK_THAT(plan.reason, Catch::Contains("(RFC "));
  }
}

TEST_CASE(
    "the state of each lookup decides what a host must prove, and a failed one is never read as nothing published") {
  constexpr Status S = Status::Secure, I = Status::Insecure, B = Status::Bogus, F = Status::Failed;
  struct Row {
    Status mx, a, aaaa;
    std::optional<Status> tlsa;  // no value: must not be asked
    std::vector<std::string> rdata;
    Method method;
    TlsLevel level;
    const char* defer_status;
  };
  const std::string good = tlsa_3_1_1();
  const std::string pkix_ee = std::string("\x01\x01\x01", 3) + std::string(32, 'x');
  constexpr auto kEncrypted = TlsLevel::Encrypted;
  const std::vector<Row> rows = {
      {S, S, S, S, {good}, Method::Dane, TlsLevel::Authenticated, ""},
      {I, S, S, S, {good}, Method::Dane, TlsLevel::Verified, ""},
      {S, S, S, S, {good, pkix_ee}, Method::Dane, TlsLevel::Authenticated, ""},
      {S, S, S, S, {pkix_ee}, Method::Opportunistic, kEncrypted, ""},
      {S, S, S, S, {""}, Method::Opportunistic, kEncrypted, ""},
      {S, S, S, S, {"\x03"}, Method::Opportunistic, kEncrypted, ""},
      {S, S, S, S, {"\x03\x01\x01"}, Method::Opportunistic, kEncrypted, ""},
      {S, S, S, S, {good.substr(0, 20)}, Method::Opportunistic, kEncrypted, ""},
      {S, S, S, S, {}, Method::Opportunistic, kEncrypted, ""},
      {S, S, S, I, {good}, Method::Opportunistic, kEncrypted, ""},
      {S, S, S, B, {}, Method::Defer, kEncrypted, "4.4.3"},
      {S, S, S, B, {good}, Method::Defer, kEncrypted, "4.4.3"},
      {S, S, S, F, {}, Method::Defer, kEncrypted, "4.4.3"},
      {I, S, S, F, {}, Method::Defer, kEncrypted, "4.4.3"},
      {S, I, I, std::nullopt, {}, Method::Opportunistic, kEncrypted, ""},
      {S, S, I, std::nullopt, {}, Method::Opportunistic, kEncrypted, ""},
      {S, I, S, std::nullopt, {}, Method::Opportunistic, kEncrypted, ""},
      {I, I, I, std::nullopt, {}, Method::Opportunistic, kEncrypted, ""},
      {S, S, B, std::nullopt, {}, Method::Defer, kEncrypted, "4.4.3"},
      {S, B, S, std::nullopt, {}, Method::Defer, kEncrypted, "4.4.3"},
      {S, F, S, std::nullopt, {}, Method::Defer, kEncrypted, "4.4.3"},
      {I, I, F, std::nullopt, {}, Method::Defer, kEncrypted, "4.4.3"},
      {I, B, F, std::nullopt, {}, Method::Defer, kEncrypted, "4.4.3"},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    const Row& row = rows[i];
    Planning planning = one_host(row.mx, row.a, row.aaaa);
    if (row.tlsa) planning.dns.tlsa(kMx1, *row.tlsa, row.rdata);
    const auto plan = planning.run();
    REQUIRE(plan.hosts.size() == 1);
    const PlannedHost& host = plan.hosts[0];
    CHECK(host.requirement.method == row.method);
    if (row.method != Method::Defer) CHECK(host.requirement.level == row.level);
    CHECK(host.defer_status == row.defer_status);
    CHECK(plan.status == row.defer_status);
    CHECK(plan.outcome == (row.method == Method::Defer ? Outcome::Defer : Outcome::Deliver));
    CHECK(planning.asked("_25._tcp." + kMx1, RecordType::TLSA) == row.tlsa.has_value());
  }
}

TEST_CASE("TLSA is looked up at the name that the port gives") {
  Planning planning = one_host(Status::Secure, Status::Secure, Status::Secure);
  planning.options.port = 2525;
  planning.dns.otherwise = Status::Secure;
  planning.run();
  CHECK(planning.asked("_2525._tcp." + kMx1, RecordType::TLSA));
}

TEST_CASE("TLSA records of an alias are looked for at the end of the chain first, then at the alias") {
  const std::string target = "real.elsewhere.example";
  Planning planning;
  planning.dns.otherwise = Status::Secure;
  planning.dns.mx(kDomain, Status::Secure, {{10, kMx1}});
  planning.dns.a(kMx1, Status::Secure, {"192.0.2.1"}, target);
  planning.dns.aaaa(kMx1, Status::Secure, {}, target);
  SECTION("records at the end of the chain are used, the alias is not asked") {
    planning.dns.tlsa(target, Status::Secure, {tlsa_3_1_1('t')});
    planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1('m')});
    const auto plan = planning.run();
    CHECK(plan.hosts[0].requirement.method == Method::Dane);
    CHECK(plan.hosts[0].requirement.server_name == target);
    CHECK_FALSE(planning.asked("_25._tcp." + kMx1, RecordType::TLSA));
  }
  SECTION("records at the alias are used when the end of the chain has none") {
    planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1('m')});
    const auto plan = planning.run();
    CHECK(plan.hosts[0].requirement.method == Method::Dane);
    CHECK(plan.hosts[0].requirement.server_name == kMx1);
  }
  SECTION("records at the alias are used when those at the end of the chain are insecure") {
    planning.dns.tlsa(target, Status::Insecure, {tlsa_3_1_1('t')});
    planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1('m')});
    CHECK(planning.run().hosts[0].requirement.server_name == kMx1);
  }
  SECTION("unusable records at the end of the chain end the search") {
    planning.dns.tlsa(target, Status::Secure, {"\x03"});
    planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1('m')});
    CHECK(planning.run().hosts[0].requirement.method == Method::Opportunistic);
  }
  SECTION("a failed lookup at the end of the chain is not papered over by the alias") {
    planning.dns.tlsa(target, GENERATE(Status::Failed, Status::Bogus), {});
    planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1('m')});
    const auto plan = planning.run();
    CHECK(plan.hosts[0].requirement.method == Method::Defer);
    CHECK(plan.status == "4.4.3");
  }
  SECTION("a failed lookup at the alias is not read as no records") {
    planning.dns.tlsa(kMx1, GENERATE(Status::Failed, Status::Bogus), {});
    CHECK(planning.run().hosts[0].requirement.method == Method::Defer);
  }
  SECTION("no records at either name leave the host without DANE") {
    CHECK(planning.run().hosts[0].requirement.method == Method::Opportunistic);
  }
}

TEST_CASE("an alias into an insecure zone has TLSA records only when the alias itself is secure") {
  const std::string target = "real.elsewhere.example";
  Planning planning;
  planning.dns.mx(kDomain, Status::Secure, {{10, kMx1}});
  planning.dns.a(kMx1, Status::Insecure, {"192.0.2.1"}, target);
  planning.dns.aaaa(kMx1, Status::Insecure, {}, target);
  planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1()});
  planning.dns.tlsa(target, Status::Secure, {tlsa_3_1_1()});
  const auto alias = GENERATE(Status::Secure, Status::Insecure, Status::Failed, Status::Bogus);
  planning.dns.set(kMx1, RecordType::CNAME, alias, {});
  const auto plan = planning.run();
  const Method expected = alias == Status::Secure     ? Method::Dane
                          : alias == Status::Insecure ? Method::Opportunistic
                                                      : Method::Defer;
  CHECK(plan.hosts[0].requirement.method == expected);
  CHECK_FALSE(planning.asked("_25._tcp." + target, RecordType::TLSA));
  CHECK(planning.asked("_25._tcp." + kMx1, RecordType::TLSA) == (alias == Status::Secure));
}

TEST_CASE("a host with a failed lookup is passed over for others, and stays in the list with its reason") {
  Planning planning;
  planning.dns.mx(kDomain, Status::Insecure, {{10, kMx1}, {20, kMx2}, {30, "192.0.2.7"}});
  planning.dns.a(kMx1, Status::Failed, {}).a(kMx2, Status::Insecure, {"192.0.2.2"});
  const auto plan = planning.run();
  CHECK(plan.outcome == Outcome::Deliver);
  REQUIRE(plan.hosts.size() == 3);
  CHECK(plan.hosts[0].requirement.method == Method::Defer);
  CHECK_THAT(plan.hosts[0].requirement.reason, Catch::Contains("timeout"));
  CHECK(plan.hosts[1].requirement.method == Method::Opportunistic);
  CHECK(plan.hosts[2].requirement.method == Method::Defer);
  CHECK(plan.hosts[2].addresses.empty());
}

TEST_CASE("state is never carried from one MX host to another") {
  Planning planning;
  planning.dns.mx(kDomain, Status::Secure, {{10, kMx1}, {20, kMx2}});
  planning.dns.a(kMx1, Status::Secure, {"192.0.2.1"}).aaaa(kMx1, Status::Secure, {});
  planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1()});
  planning.dns.a(kMx2, Status::Insecure, {"192.0.2.2"});
  const auto plan = planning.run();
  CHECK(plan.hosts[0].requirement.method == Method::Dane);
  CHECK(plan.hosts[1].requirement.method == Method::Opportunistic);
}

TEST_CASE("when no host can be used, the plan gives the most telling reason") {
  Planning planning;
  planning.dns.mx(kDomain, Status::Insecure, {{10, "192.0.2.7"}, {20, kMx1}, {30, kMx2}});
  planning.dns.a(kMx1, Status::Failed, {}).a(kMx2, Status::Insecure, {"192.0.2.2"});
  planning.options.demands.minimum = GENERATE(TlsLevel::Authenticated, TlsLevel::Encrypted);
  if (planning.options.demands.minimum == TlsLevel::Encrypted) planning.dns.a(kMx2, Status::Insecure, {});
  const auto plan = planning.run();
  CHECK(plan.outcome == Outcome::Defer);
  CHECK(plan.status == (planning.options.demands.minimum == TlsLevel::Authenticated ? "4.7.5" : "4.4.3"));
}

TEST_CASE("hosts are ordered by preference, and equal ones by the seed alone") {
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::vector<std::string> first;
    for (const bool reversed : {false, true}) {
      Planning planning;
      std::vector<std::pair<int, std::string>> mx = {
          {10, "a.example"}, {10, "b.example"}, {10, "c.example"}, {5, "first.example"}, {20, "last.example"}};
      if (reversed) std::ranges::reverse(mx);
      planning.dns.mx(kDomain, Status::Insecure, mx);
      for (const auto& [preference, name] : mx) planning.dns.a(name, Status::Insecure, {"192.0.2.1"});
      planning.options.shuffle_seed = seed;
      std::vector<std::string> order;
      for (const auto& host : planning.run().hosts) order.push_back(host.name);
      CHECK(order.front() == "first.example");
      CHECK(order.back() == "last.example");
      if (reversed) {
        CHECK(order == first);
      } else {
        first = order;
      }
    }
    orders.insert(first);
  }
  CHECK(orders.size() == 6);
}

TEST_CASE("addresses come IPv6 and IPv4 in turn, each once") {
  Planning planning;
  planning.dns.mx(kDomain, Status::Insecure, {{10, kMx1}});
  planning.dns.a(kMx1, Status::Insecure, {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1"});
  planning.dns.aaaa(kMx1, Status::Insecure, {"2001:db8::1", "2001:db8::2"});
  const auto addresses = planning.run().hosts[0].addresses;
  REQUIRE(addresses.size() == 5);
  CHECK(addresses[0].family() == IpAddress::Family::V6);
  CHECK(addresses[1].family() == IpAddress::Family::V4);
  CHECK(addresses[2].family() == IpAddress::Family::V6);
  CHECK(std::set<IpAddress>(addresses.begin(), addresses.end()).size() == 5);
}

TEST_CASE("the number of hosts, addresses and questions is bounded") {
  Planning planning;
  std::vector<std::pair<int, std::string>> mx;
  for (int i = 0; i < 1'000; ++i) mx.emplace_back(i, "mx" + std::to_string(i) + ".example");
  planning.dns.mx(kDomain, Status::Insecure, mx);
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i) many.push_back("192.0.2." + std::to_string(i));
  planning.dns.a("mx0.example", Status::Insecure, many);
  const auto plan = planning.run();
  CHECK(plan.hosts.size() == kMaxMxHosts);
  CHECK(plan.hosts[0].name == "mx0.example");
  CHECK(plan.hosts[0].addresses.size() == kMaxAddressesPerHost);
  CHECK(planning.answers.known().size() <= 2 + 2 * kMaxMxHosts);
}

TEST_CASE("a host that is named twice is planned once, at its best preference") {
  Planning planning;
  planning.dns.mx(kDomain, Status::Insecure, {{20, kMx1}, {10, "MX1.Hosting.example"}, {30, kMx1}});
  planning.dns.a(kMx1, Status::Insecure, {"192.0.2.1"});
  const auto plan = planning.run();
  REQUIRE(plan.hosts.size() == 1);
  CHECK(plan.hosts[0].preference == 10);
}

TEST_CASE("addresses inside are not connected to unless that is allowed") {
  Planning planning;
  planning.dns.mx(kDomain, Status::Insecure, {{10, kMx1}});
  planning.options.allow_non_global_addresses = false;
  SECTION("a host with such addresses alone is not used") {
    planning.dns.a(kMx1, Status::Insecure, {"127.0.0.1", "10.0.0.1", "169.254.169.254"});
    planning.dns.aaaa(kMx1, Status::Insecure, {"::1", "fe80::1", "fd00::1"});
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Defer);
    CHECK(plan.status == "4.4.4");
    CHECK_THAT(plan.reason, Catch::Contains("not global"));
  }
  SECTION("a global one beside them is used") {
    planning.dns.a(kMx1, Status::Insecure, {"127.0.0.1", "45.0.0.1"});
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Deliver);
    CHECK(plan.hosts[0].addresses == std::vector{*IpAddress::parse("45.0.0.1")});
  }
  SECTION("an implicit MX with such addresses is deferred, not bounced") {
    planning.dns.mx(kDomain, Status::Insecure, {}).a(kDomain, Status::Insecure, {"10.0.0.1"});
    CHECK(planning.run().outcome == Outcome::Defer);
  }
}

// MTA-STS.
namespace {

Planning with_sts_record(Status status, std::vector<std::string> texts) {
  Planning planning = one_host(Status::Insecure, Status::Insecure, Status::Insecure);
  planning.dns.txt("_mta-sts." + kDomain, status, std::move(texts));
  return planning;
}

}  // namespace

TEST_CASE("a published policy is fetched once and holds") {
  Planning planning = with_sts_record(Status::Insecure, {"v=STSv1; id=20260101;"});
  SECTION("enforce") {
    planning.sts.fetched = policy("20260101", StsMode::Enforce, {kMx1});
    const auto plan = planning.run();
    CHECK(planning.fetched_id == "20260101");
    CHECK(plan.hosts[0].requirement.method == Method::Pkix);
    CHECK(plan.hosts[0].requirement.level == TlsLevel::Authenticated);
    CHECK_THAT(plan.sts_detail, Catch::Contains("fetched"));
  }
  SECTION("enforce, with the host not listed") {
    planning.sts.fetched = policy("20260101", StsMode::Enforce, {"other.example"});
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Defer);
    CHECK(plan.status == "4.7.5");
    CHECK_THAT(plan.reason, Catch::Contains("does not list"));
  }
  SECTION("testing, with the host not listed") {
    planning.sts.fetched = policy("20260101", StsMode::Testing, {"other.example"});
    CHECK(planning.run().hosts[0].requirement.method == Method::Opportunistic);
  }
  SECTION("none") {
    planning.sts.fetched = policy("20260101", StsMode::None, {});
    CHECK(planning.run().hosts[0].requirement.method == Method::Opportunistic);
  }
  SECTION("the fetch fails: no policy, and the detail says why") {
    const auto plan = planning.run();
    CHECK(plan.hosts[0].requirement.method == Method::Opportunistic);
    CHECK_FALSE(plan.sts.policy);
    CHECK_THAT(plan.sts_detail, Catch::Contains("connection refused"));
  }
}

TEST_CASE("a cached policy with the published id is used without a fetch") {
  Planning planning = with_sts_record(Status::Insecure, {"v=STSv1; id=1"});
  planning.sts.cached = policy("1", StsMode::Enforce, {kMx1});
  const auto plan = planning.run();
  CHECK(planning.fetched_id.empty());
  CHECK(plan.hosts[0].requirement.method == Method::Pkix);
}

TEST_CASE("a cached policy holds whatever the network says until a newer one was fetched") {
  struct Row {
    const char* what;
    Status status;
    std::vector<std::string> texts;
  };
  const std::vector<Row> rows = {{"TXT gone", Status::Insecure, {}},
                                 {"TXT failed", Status::Failed, {}},
                                 {"TXT bogus", Status::Bogus, {"v=STSv1; id=1"}},
                                 {"TXT garbage", Status::Insecure, {"v=STSv1; id=!!"}},
                                 {"two records", Status::Insecure, {"v=STSv1; id=1", "v=STSv1; id=2"}},
                                 {"another kind of TXT", Status::Insecure, {"v=spf1 -all"}},
                                 {"new id, fetch fails", Status::Insecure, {"v=STSv1; id=2"}}};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Planning planning = with_sts_record(row.status, row.texts);
    planning.sts.cached = policy("1", StsMode::Enforce, {"other.example"});
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Defer);
    CHECK(plan.status == "4.7.5");
    CHECK_THAT(plan.sts_detail, Catch::Contains("still holds"));

    Planning uncached = with_sts_record(row.status, row.texts);
    const auto open = uncached.run();
    CHECK(open.outcome == Outcome::Deliver);
    CHECK_THAT(open.sts_detail, Catch::StartsWith("no MTA-STS policy"));
  }
}

TEST_CASE("a cached policy that is due for renewal is fetched under the same id, and holds when that fails") {
  Planning planning = with_sts_record(Status::Insecure, {"v=STSv1; id=1"});
  planning.sts.cached = policy("1", StsMode::Enforce, {"other.example"});
  planning.sts.refresh_due = true;
  SECTION("fetched") {
    planning.sts.fetched = policy("1", StsMode::Enforce, {kMx1});
    CHECK(planning.run().hosts[0].requirement.method == Method::Pkix);
  }
  SECTION("not fetched") {
    const auto plan = planning.run();
    CHECK(plan.status == "4.7.5");
    CHECK_THAT(plan.sts_detail, Catch::Contains("still holds"));
  }
  CHECK(planning.fetched_id == "1");
}

TEST_CASE("policies that are kept but cannot be read are not \"no policy\"") {
  SECTION("nothing published now: the mail waits") {
    Planning planning = one_host(Status::Insecure, Status::Insecure, Status::Insecure);
    planning.sts.cache_failure = "disk error";
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Defer);
    CHECK(plan.status == "4.3.0");
    CHECK_THAT(plan.reason, Catch::Contains("cannot be read: disk error"));
    CHECK_THAT(plan.sts_detail, Catch::StartsWith("MTA-STS unknown"));
  }
  SECTION("the fetch fails: the mail waits") {
    Planning planning = with_sts_record(Status::Insecure, {"v=STSv1; id=1"});
    planning.sts.cache_failure = "disk error";
    CHECK(planning.run().status == "4.3.0");
    CHECK(planning.fetched_id == "1");
  }
  SECTION("a policy that was fetched now counts") {
    Planning planning = with_sts_record(Status::Insecure, {"v=STSv1; id=1"});
    planning.sts.cache_failure = "disk error";
    planning.sts.fetched = policy("1", StsMode::Enforce, {kMx1});
    CHECK(planning.run().hosts[0].requirement.method == Method::Pkix);
  }
  SECTION("DANE needs no policy, but only where the MX records are secure") {
    const Status mx = GENERATE(Status::Secure, Status::Insecure);
    Planning planning = one_host(mx, Status::Secure, Status::Secure);
    planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1()});
    planning.sts.cache_failure = "disk error";
    const auto plan = planning.run();
    CHECK(plan.status == (mx == Status::Secure ? "" : "4.3.0"));
    CHECK((plan.outcome == Outcome::Deliver) == (mx == Status::Secure));
  }
}

TEST_CASE("a newer policy replaces the cached one") {
  Planning planning = with_sts_record(Status::Insecure, {"v=STSv1; id=2"});
  planning.sts.cached = policy("1", StsMode::Enforce, {"other.example"});
  planning.sts.fetched = policy("2", StsMode::Enforce, {kMx1});
  CHECK(planning.run().hosts[0].requirement.method == Method::Pkix);
  CHECK(planning.fetched_id == "2");
}

TEST_CASE("DANE wins over MTA-STS where it applies") {
  Planning planning = one_host(Status::Secure, Status::Secure, Status::Secure);
  planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1()});
  planning.dns.txt("_mta-sts." + kDomain, Status::Secure, {"v=STSv1; id=1"});
  planning.sts.cached = policy("1", StsMode::Enforce, {kMx1});
  CHECK(planning.run().hosts[0].requirement.method == Method::Dane);
}

TEST_CASE("a forged MX with perfect DANE does not get around an enforced MTA-STS policy") {
  Planning planning = one_host(Status::Insecure, Status::Secure, Status::Secure);
  planning.dns.tlsa(kMx1, Status::Secure, {tlsa_3_1_1()});
  planning.dns.txt("_mta-sts." + kDomain, Status::Insecure, {"v=STSv1; id=1"});
  SECTION("which does not list it") {
    planning.sts.cached = policy("1", StsMode::Enforce, {"mx.receiver.example"});
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Defer);
    CHECK(plan.status == "4.7.5");
  }
  SECTION("but one that is listed is used with DANE") {
    planning.sts.cached = policy("1", StsMode::Enforce, {kMx1});
    CHECK(planning.run().hosts[0].requirement.method == Method::Dane);
  }
}

TEST_CASE("no policy is fetched for a domain that gets no mail") {
  Planning planning;
  planning.dns.mx(kDomain, Status::Insecure, {{0, "."}});
  planning.dns.txt("_mta-sts." + kDomain, Status::Insecure, {"v=STSv1; id=1"});
  CHECK(planning.run().outcome == Outcome::Bounce);
  CHECK(planning.fetched_id.empty());
}

TEST_CASE("a domain so long that derived names cannot exist is planned without them") {
  const std::string label(49, 'a');
  const std::string domain = label + "." + label + "." + label + "." + label + "." + std::string(48, 'b');
  REQUIRE(domain.size() == 248);
  Planning planning;
  planning.dns.otherwise = Status::Secure;
  planning.dns.a(domain, Status::Secure, {"192.0.2.1"});
  DestinationNeeds needs;
  std::optional<DestinationPlan> plan;
  for (int i = 0; i < 5 && !plan; ++i) {
    plan = plan_destination(*DomainName::parse(domain), planning.options, {}, planning.answers, needs);
    for (const Question& question : std::vector(planning.answers.missing())) {
      CHECK(question.name.size() <= 253);
      planning.answers.add(question, planning.dns.answer(question));
    }
  }
  REQUIRE(plan);
  CHECK(plan->outcome == Outcome::Deliver);
}

TEST_CASE("mail for a domain whose MX records lead back to this relay is bounced without a connection") {
  Planning planning = one_host(Status::Insecure, Status::Insecure, Status::Insecure);
  planning.options.own_endpoints = {{*IpAddress::parse("2001:db8::1"), 25}};
  const auto plan = planning.run();
  CHECK(plan.outcome == Outcome::Bounce);
  CHECK(plan.status == "5.4.6");
  CHECK_THAT(plan.reason, Catch::Contains("RFC 5321 §5.1"));
}

TEST_CASE("of the hosts of a domain only those before this relay itself are used") {
  Planning planning;
  const std::string kMx3 = "mx3.hosting.example";
  planning.dns.a(kMx1, Status::Insecure, {"192.0.2.1"}).aaaa(kMx1, Status::Insecure, {});
  planning.dns.a(kMx2, Status::Insecure, {"192.0.2.2"}).aaaa(kMx2, Status::Insecure, {});
  planning.dns.a(kMx3, Status::Insecure, {"192.0.2.3"}).aaaa(kMx3, Status::Insecure, {});
  planning.options.own_endpoints = {{*IpAddress::parse("192.0.2.2"), 25}};
  SECTION("one is before it, one is equal") {
    planning.dns.mx(kDomain, Status::Insecure, {{10, kMx1}, {20, kMx2}, {20, kMx3}});
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Deliver);
    REQUIRE(plan.hosts.size() == 3);
    CHECK(plan.hosts[0].name == kMx1);
    CHECK(plan.hosts[0].requirement.method == Method::Opportunistic);
    for (const std::size_t own : {1U, 2U}) {
      CHECK(plan.hosts[own].requirement.method == Method::Defer);
      CHECK(plan.hosts[own].defer_status == "4.4.6");
    }
  }
  SECTION("the one before it cannot be used now") {
    planning.dns.mx(kDomain, Status::Insecure, {{10, kMx1}, {20, kMx2}});
    planning.dns.a(kMx1, Status::Failed, {});
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Defer);
    CHECK(plan.status == "4.4.3");
  }
  SECTION("none is before it") {
    planning.dns.mx(kDomain, Status::Insecure, {{10, kMx2}, {10, kMx1}, {20, kMx3}});
    CHECK(planning.run().status == "5.4.6");
  }
}

TEST_CASE("what a message asks of TLS reaches the requirement of each host") {
  Planning planning = one_host(Status::Insecure, Status::Secure, Status::Secure);
  planning.dns.tlsa(kMx1, Status::Failed, {});
  CHECK(planning.run().outcome == Outcome::Defer);
  planning.options.demands.request = TlsRequest::Optional;
  planning.sts.cache_failure = "the database is damaged";
  CHECK(planning.run().hosts[0].requirement.method == Method::Opportunistic);
  planning.sts.cache_failure.clear();
  planning.options.demands.request = TlsRequest::Required;
  CHECK(planning.run().status == "4.4.3");
}

TEST_CASE("a domain that was authenticated and publishes nothing any more is noticed") {
  const RememberedTls remembered{"dane", {}, std::chrono::sys_days(std::chrono::year(2026) / 11 / 20)};
  Planning planning = one_host(Status::Secure, Status::Secure, Status::Secure);
  planning.dns.otherwise = Status::Secure;
  planning.options.remembered = remembered;

  SECTION("by a report, while mail goes on") {
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Deliver);
    CHECK(plan.lost_tls.find("authenticated by DANE until 2026-11-20") != std::string::npos);
  }
  SECTION("and mail waits, if that is wished") {
    planning.options.lost_tls = LostTls::Defer;
    const auto plan = planning.run();
    CHECK(plan.outcome == Outcome::Defer);
    CHECK(plan.status == "4.7.5");
    CHECK(plan.reason == plan.lost_tls);
  }
  SECTION("but not where operator or message set policy aside") {
    planning.options.lost_tls = LostTls::Defer;
    planning.options.demands.request = TlsRequest::Optional;
    CHECK(planning.run().outcome == Outcome::Deliver);
    planning.options.demands = {};
    planning.options.demands.exception = TlsException{};
    CHECK(planning.run().lost_tls.empty());
  }
  SECTION("nor where a host still is authenticated, by whatever method") {
    planning.sts.cached = policy("1", StsMode::Enforce, {kMx1});
    CHECK(planning.run().lost_tls.empty());
  }
  SECTION("nor where a lookup failed, which defers by itself") {
    planning.dns.tlsa(kMx1, Status::Failed, {});
    const auto plan = planning.run();
    CHECK(plan.lost_tls.empty());
    CHECK(plan.status == "4.4.3");
  }
  SECTION("and nothing is noticed about a domain of which nothing is remembered") {
    planning.options.remembered.reset();
    CHECK(planning.run().lost_tls.empty());
  }
}
