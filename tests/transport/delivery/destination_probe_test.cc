#include <catch2/catch.hpp>

#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;

namespace {

std::vector<ProbedHost> probe(DeliveryWorld& world, TlsLevel minimum = TlsLevel::Encrypted) {
  std::optional<std::vector<ProbedHost>> result;
  world.agent().probe(
      *DomainName::parse(kReceiver), {minimum}, nullptr,
      [&](const DestinationPlan&, const Answers&, const std::vector<ProbedHost>& hosts) { result = hosts; });
  world.run_until([&] { return result.has_value(); });
  return *result;
}

}  // namespace

TEST_CASE("a probe opens a session with each host, sends no mail, and says what was proven and offered") {
  DeliveryWorld world;
  FakeSmtpServer& first = world.host(kHost1, {ServerScript()}, Status::Secure);
  FakeSmtpServer& second = world.host(kHost2, {ServerScript()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}, {20, kHost2}});
  world.publish_tlsa(kHost1, world.certificates[kHost1]);
  world.publish_tlsa(kHost2, world.certificates[kHost1]);
  const auto hosts = probe(world);
  REQUIRE(hosts.size() == 2);
  CHECK(hosts[0].name == kHost1);
  CHECK_FALSE(hosts[0].failure);
  CHECK(hosts[0].facts.proven == TlsLevel::Authenticated);
  CHECK(hosts[0].extensions.pipelining);
  CHECK(hosts[1].name == kHost2);
  REQUIRE(hosts[1].failure);
  CHECK(hosts[1].failure->status == "4.7.5");
  CHECK(hosts[1].facts.tls_failure->type == TlsResultType::CertificateNotTrusted);
  CHECK(first.count("QUIT") == 1);
  CHECK(first.count("MAIL") + second.count("MAIL") == 0);
  CHECK(first.open_connections() + second.open_connections() == 0);
}

TEST_CASE("hosts that may not be used are not probed") {
  DeliveryWorld world;
  FakeSmtpServer& host = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}, {20, "mx3.hosting.example"}});
  CHECK(probe(world, TlsLevel::Authenticated).empty());
  CHECK(host.connections() == 0);
  CHECK(probe(world).size() == 1);
}

TEST_CASE("a probe of a host that cannot be reached comes to an end") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.a(kHost1, Status::Insecure, {"127.0.0.77"});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto hosts = probe(world);
  REQUIRE(hosts.size() == 1);
  CHECK(hosts[0].failure->status == "4.4.1");
}

TEST_CASE("an agent that goes while a probe is under way calls nobody") {
  DeliveryWorld world;
  ServerScript silent;
  silent.banner.clear();
  FakeSmtpServer& host = world.host(kHost1, {silent});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  bool called = false;
  world.agent().probe(*DomainName::parse(kReceiver), {TlsLevel::Encrypted}, nullptr,
                      [&](const DestinationPlan&, const Answers&, const std::vector<ProbedHost>&) { called = true; });
  world.run_until([&] { return host.connections() == 1; });
  world.destroy_agent();
  world.settle(Milliseconds(50));
  CHECK_FALSE(called);
}
