#include <catch2/catch.hpp>

#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Kind = RecipientOutcome::Kind;

namespace {

constexpr const char* kOffer = "250-mx.example\r\n250-PIPELINING\r\n250 REQUIRETLS\r\n";

ServerScript offering() {
  ServerScript script;
  script.secured_ehlo = kOffer;
  return script;
}

DeliveryJob requiring() {
  DeliveryJob job = DeliveryWorld::job();
  job.demands.request = TlsRequest::Required;
  return job;
}

}  // namespace

TEST_CASE("a message with REQUIRETLS goes to a host that is authenticated and offers it, and says so") {
  DeliveryWorld world;
  FakeSmtpServer& host = world.host(kHost1, {offering()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}});
  world.publish_tlsa(kHost1, world.certificates[kHost1]);
  const auto report = world.deliver(requiring());
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.proven == TlsLevel::Authenticated);
  CHECK(host.count("MAIL FROM:<sender@client.example> REQUIRETLS") == 1);
}

TEST_CASE("DNSSEC of the MX records and a certificate of a public authority satisfy REQUIRETLS") {
  DeliveryWorld world;
  FakeSmtpServer& host = world.host(kHost1, {offering()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}});
  world.dns.otherwise = Status::Secure;
  const auto report = world.deliver(requiring());
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.tls_method == "pkix");
  CHECK(host.count("MAIL FROM:<sender@client.example> REQUIRETLS") == 1);
}

TEST_CASE("a message with REQUIRETLS is bounced when no host offers it, after all were asked") {
  DeliveryWorld world;
  FakeSmtpServer& first = world.host(kHost1, {ServerScript()}, Status::Secure);
  FakeSmtpServer& second = world.host(kHost2, {ServerScript()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}, {20, kHost2}});
  world.publish_tlsa(kHost1, world.certificates[kHost1]);
  world.publish_tlsa(kHost2, world.certificates[kHost2]);
  const auto report = world.deliver(requiring());
  CHECK(report.recipients[0].kind == Kind::Bounced);
  CHECK(report.recipients[0].status == "5.7.30");
  for (const FakeSmtpServer* host : {&first, &second}) {
    CHECK(host->connections() == 1);
    CHECK(host->count("MAIL") == 0);
  }
}

TEST_CASE("a host without REQUIRETLS is passed over for one with it, also on a kept connection") {
  DeliveryWorld world;
  FakeSmtpServer& without = world.host(kHost1, {ServerScript()}, Status::Secure);
  FakeSmtpServer& with = world.host(kHost2, {offering()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}, {20, kHost2}});
  world.publish_tlsa(kHost1, world.certificates[kHost1]);
  world.publish_tlsa(kHost2, world.certificates[kHost2]);
  CHECK(world.deliver(DeliveryWorld::job()).mx_name == kHost1);
  const auto report = world.deliver(requiring());
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.mx_name == kHost2);
  CHECK(without.connections() == 1);
  CHECK(without.messages().size() == 1);
  CHECK(with.messages().size() == 1);
}

TEST_CASE("a message with REQUIRETLS for a domain that nothing authenticates is bounced without a connection") {
  DeliveryWorld world;
  FakeSmtpServer& host = world.host(kHost1, {offering()});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(requiring());
  CHECK(report.recipients[0].kind == Kind::Bounced);
  CHECK(report.recipients[0].status == "5.7.10");
  CHECK_THAT(report.recipients[0].reason, Catch::Contains("RFC 8689 §4.2.1"));
  CHECK(host.connections() == 0);
}

TEST_CASE("a message with REQUIRETLS waits while some host fails in a way that may pass") {
  DeliveryWorld world;
  world.host(kHost1, {ServerScript()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}, {20, kHost2}});
  world.publish_tlsa(kHost1, world.certificates[kHost1]);
  SECTION("its lookup") {
    world.dns.a(kHost2, Status::Failed, {}).aaaa(kHost2, Status::Failed, {});
  }
  SECTION("its connection") {
    world.dns.a(kHost2, Status::Secure, {"127.0.0.77"}).aaaa(kHost2, Status::Secure, {});
    world.publish_tlsa(kHost2, world.certificates[kHost1]);
  }
  const auto report = world.deliver(requiring());
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.7.30");
}

TEST_CASE("a bounce of a message with REQUIRETLS goes the same way where it can, and goes in any case") {
  DeliveryWorld world;
  const bool authenticated = GENERATE(true, false);
  const Status status = authenticated ? Status::Secure : Status::Insecure;
  FakeSmtpServer& host = world.host(kHost1, {offering()}, status);
  world.dns.mx(kReceiver, status, {{10, kHost1}});
  if (authenticated) world.publish_tlsa(kHost1, world.certificates[kHost1]);
  DeliveryJob job = requiring();
  job.reverse_path.reset();
  CHECK(world.deliver(std::move(job)).recipients[0].kind == Kind::Delivered);
  CHECK(host.count("MAIL FROM:<> REQUIRETLS") == (authenticated ? 1 : 0));
}

TEST_CASE(
    "a message that says TLS-Required: No passes a certificate that DANE refuses, and shares its connection with "
    "nobody") {
  DeliveryWorld world;
  FakeSmtpServer& host = world.host(kHost1, {ServerScript()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}});
  world.publish_tlsa(kHost1, world.certificate("another.example"));
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].status == "4.7.5");
  DeliveryJob job = DeliveryWorld::job();
  job.demands.request = TlsRequest::Optional;
  const auto report = world.deliver(std::move(job));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.proven == TlsLevel::Encrypted);
  CHECK_THAT(report.requirement_reason, Catch::Contains("TLS-Required: No"));
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].status == "4.7.5");
  CHECK(host.messages().size() == 1);
}
