#include <catch2/catch.hpp>

#include "tests/transport/delivery/delivery_world.h"
#include "tests/transport/delivery/https_peer.h"

using namespace waxwing;
using namespace waxwing::testing;
using Kind = RecipientOutcome::Kind;

namespace {

constexpr const char* kPolicyHost = "mta-sts.receiver.example";

// The policy host of kReceiver.
class PolicyHost : public HttpsPeer {
 public:
  PolicyHost(DeliveryWorld& world, const std::string& certificate_name)
      : HttpsPeer(world.loop, DeliveryWorld::server_context(world.certificate(certificate_name))) {
    world.options.sts_port = port();
    world.dns.a(kPolicyHost, Status::Insecure, {"127.0.0.1"}).aaaa(kPolicyHost, Status::Insecure, {});
    publish(world, "1");
  }

  static void publish(DeliveryWorld& world, const std::string& id) {
    world.dns.txt(std::string("_mta-sts.") + kReceiver, Status::Insecure, {"v=STSv1; id=" + id + ";"});
  }
};

}  // namespace

TEST_CASE("an enforced MTA-STS policy is fetched, kept, and the certificate must be good for the host") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  PolicyHost policy_host(world, kPolicyHost);
  policy_host.serve("enforce", "*.hosting.example");
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.tls_method == "pkix");
  CHECK(report.proven == TlsLevel::Authenticated);
  REQUIRE(policy_host.requests.size() == 1);
  CHECK_THAT(policy_host.requests[0], Catch::StartsWith("GET /.well-known/mta-sts.txt HTTP/1.1\r\n"));
  REQUIRE(world.sts_cache.kept.contains(kReceiver));
  CHECK(world.sts_cache.kept[kReceiver].policy_id == "1");
  CHECK(world.sts_cache.kept[kReceiver].policy.mode == StsMode::Enforce);
}

TEST_CASE("a host whose certificate is good for another name is not used under an enforced policy") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.a("alias.hosting.example", Status::Insecure, {"127.0.0.2"});
  world.dns.mx(kReceiver, Status::Insecure, {{10, "alias.hosting.example"}});
  PolicyHost policy_host(world, kPolicyHost);
  policy_host.serve("enforce", "*.hosting.example");
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.7.5");
  CHECK_THAT(report.recipients[0].reason, Catch::Contains("RFC 8461 §4.2"));
  CHECK(server.count("MAIL") == 0);
}

TEST_CASE("a host that an enforced policy does not list is not even connected to") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  PolicyHost policy_host(world, kPolicyHost);
  policy_host.serve("enforce", "mx.receiver.example");
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].status == "4.7.5");
  CHECK(server.connections() == 0);
}

TEST_CASE("a policy that cannot be fetched leaves what was known, and is not asked for again at once") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  std::string certificate_name = kPolicyHost;
  SECTION("not found") {}
  SECTION("a certificate for another name") {
    certificate_name = "other.example";
  }
  PolicyHost policy_host(world, certificate_name);
  if (certificate_name != kPolicyHost) policy_host.serve("enforce", "mx.receiver.example");
  SECTION("redirected") {
    policy_host.response = "HTTP/1.1 302 Found\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n";
  }
  SECTION("too large") {
    policy_host.response =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nversion: STSv1\r\n" + std::string(70'000, 'x');
  }
  SECTION("nonsense") {
    policy_host.response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nmode: enforce\r\n";
  }

  std::string detail;
  const auto plan = [&](TlsLevel minimum) {
    bool came = false;
    world.agent().plan(*DomainName::parse(kReceiver), {minimum}, nullptr,
                       [&](const DestinationPlan& planned, const Answers&) {
                         came = true;
                         detail = planned.sts_detail;
                       });
    world.run_until([&] { return came; });
  };
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
  plan(TlsLevel::Encrypted);
  CHECK_THAT(detail, Catch::Contains("could not be fetched"));
  CHECK(policy_host.connections == 1);
  CHECK(world.sts_cache.kept.empty());
}

TEST_CASE("an id that changes all the time does not cause a fetch each time, and the last policy holds") {
  DeliveryWorld world;
  world.host(kHost1);
  const Answer short_lived = [] {
    Answer answer;
    answer.status = Status::Insecure;
    answer.name_exists = true;
    answer.records = {MxRecord{10, kHost1}};
    return answer;  // TTL 0: planned anew after a second
  }();
  world.dns.set(kReceiver, RecordType::MX, short_lived);
  PolicyHost policy_host(world, kPolicyHost);
  policy_host.serve("enforce", "*.hosting.example");
  CHECK(world.deliver(DeliveryWorld::job()).tls_method == "pkix");
  PolicyHost::publish(world, "2");
  world.settle(Milliseconds(1'050));
  CHECK(world.deliver(DeliveryWorld::job()).tls_method == "pkix");
  CHECK(world.resolver.asked[Question{kReceiver, RecordType::MX}] == 2);
  CHECK(policy_host.connections == 1);
}

TEST_CASE("a policy that the cache lost holds all the same") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  PolicyHost policy_host(world, kPolicyHost);
  policy_host.serve("enforce", "*.hosting.example");
  CHECK(world.deliver(DeliveryWorld::job()).tls_method == "pkix");
  world.sts_cache.kept.clear();
  world.agent().forget_plans();
  CHECK(world.deliver(DeliveryWorld::job()).tls_method == "pkix");
  CHECK(policy_host.connections == 1);
}

TEST_CASE("a policy is renewed once it is a day old or has lived for half of its time") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  PolicyHost policy_host(world, kPolicyHost);
  policy_host.serve("enforce", "*.hosting.example");
  struct Row {
    int age_hours;
    std::uint32_t max_age;
    bool renewed;
  };
  const Row row =
      GENERATE(Row{23, 604'800, false}, Row{25, 604'800, true}, Row{5, 36'000, false}, Row{6, 36'000, true});
  CachedStsPolicy policy;
  policy.policy_id = "1";
  policy.policy = {StsMode::Enforce, row.max_age, {kHost1}};
  policy.fetched = world.loop.wall_now() - std::chrono::hours(row.age_hours) + Seconds(60);
  policy.expires = policy.fetched + Seconds(row.max_age);
  world.sts_cache.kept[kReceiver] = policy;
  bool served = true;
  SECTION("the policy host answers") {}
  SECTION("the policy host has none any more") {
    served = false;
    policy_host.response = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
  }
  CHECK(world.deliver(DeliveryWorld::job()).tls_method == "pkix");
  CHECK(policy_host.requests.size() == (row.renewed ? 1 : 0));
  CHECK((world.sts_cache.kept[kReceiver].fetched > policy.fetched) == (row.renewed && served));
}

TEST_CASE("mail waits while it cannot be told whether a policy is kept") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.sts_cache.unreadable = true;
  const DeliveryReport report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.3.0");
  CHECK_THAT(report.recipients[0].reason, Catch::Contains("cannot be read"));
  CHECK(server.connections() == 0);
}

TEST_CASE("a policy host inside is not connected to unless that is allowed") {
  DeliveryWorld world;
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.dns.a(kHost1, Status::Insecure, {"127.0.0.2"});
  PolicyHost policy_host(world, kPolicyHost);
  world.options.allow_non_global_addresses = false;
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Deferred);
  CHECK(policy_host.connections == 0);
}

TEST_CASE("why a policy could not be had is told in the words of reports") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto result = [&](PolicyHost&) {
    const auto report = world.deliver(DeliveryWorld::job());
    CHECK(report.recipients[0].kind == Kind::Delivered);
    REQUIRE(report.tls_results.size() == 2);  // the fetch, then the session
    CHECK(report.tls_results[0].policy.type == TlsReportPolicy::Type::Sts);
    CHECK(report.tls_results[0].policy.domain == kReceiver);
    CHECK(report.tls_results[1].policy.type == TlsReportPolicy::Type::NoPolicyFound);
    CHECK_FALSE(report.tls_results[1].failure);
    REQUIRE(report.tls_results[0].failure);
    return report.tls_results[0].failure->type;
  };
  SECTION("it is not there") {
    PolicyHost policy_host(world, kPolicyHost);
    CHECK(result(policy_host) == TlsResultType::StsPolicyFetchError);
  }
  SECTION("it is no policy") {
    PolicyHost policy_host(world, kPolicyHost);
    policy_host.serve("perhaps", "*.hosting.example");
    CHECK(result(policy_host) == TlsResultType::StsPolicyInvalid);
  }
  SECTION("the certificate of its host is for another name") {
    PolicyHost policy_host(world, "another.example");
    policy_host.serve("enforce", "*.hosting.example");
    CHECK(result(policy_host) == TlsResultType::StsWebpkiInvalid);
  }
}

TEST_CASE("under a policy in testing mail goes to a host with a bad certificate, and the report says what was wrong") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.a("alias.hosting.example", Status::Insecure, {"127.0.0.2"});
  PolicyHost policy_host(world, kPolicyHost);
  policy_host.serve("testing", "*.hosting.example");
  const bool good = GENERATE(true, false);
  world.dns.mx(kReceiver, Status::Insecure, {{10, good ? kHost1 : "alias.hosting.example"}});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.proven == TlsLevel::Encrypted);
  REQUIRE(report.tls_results.size() == 1);
  CHECK(report.tls_results[0].policy.type == TlsReportPolicy::Type::Sts);
  REQUIRE(report.tls_results[0].failure.has_value() == !good);
  if (good) return;
  CHECK(report.tls_results[0].failure->type == TlsResultType::CertificateHostMismatch);
  CHECK(report.tls_results[0].failure->receiving_mx == "alias.hosting.example");
}
