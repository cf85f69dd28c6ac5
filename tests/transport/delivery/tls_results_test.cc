#include <catch2/catch.hpp>

#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Kind = RecipientOutcome::Kind;
using Type = TlsReportPolicy::Type;

namespace {

// One host with a secure TLSA record for a certificate.
FakeSmtpServer& dane_host(DeliveryWorld& world, ServerScript script = {}) {
  FakeSmtpServer& host = world.host(kHost1, {std::move(script)}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}});
  world.publish_tlsa(kHost1, world.certificates[kHost1]);
  return host;
}

}  // namespace

TEST_CASE("a session that satisfied DANE is counted once, however many messages it carries") {
  DeliveryWorld world;
  world.options.max_connections_per_host = 1;
  dane_host(world);
  for (int i = 0; i < 5; ++i) world.start(DeliveryWorld::job());
  world.wait();
  std::size_t sessions = 0;
  for (const DeliveryReport& report : world.reports) {
    for (const TlsSessionResult& result : report.tls_results) {
      ++sessions;
      CHECK_FALSE(result.failure);
      CHECK(result.policy.type == Type::Tlsa);
      CHECK(result.policy.domain == kHost1);
    }
  }
  CHECK(sessions == 1);
}

TEST_CASE("a session that failed is counted once, however many messages waited for it") {
  DeliveryWorld world;
  world.options.max_connections_per_host = 1;
  FakeSmtpServer& host = dane_host(world);
  world.publish_tlsa(kHost1, world.certificate("another.example"));
  for (int i = 0; i < 5; ++i) world.start(DeliveryWorld::job());
  world.wait();
  std::size_t failures = 0;
  for (const DeliveryReport& report : world.reports) failures += report.tls_results.size();
  CHECK(failures == host.connections());
}

TEST_CASE("a certificate that DANE refuses is reported with both ends of the connection") {
  DeliveryWorld world;
  dane_host(world);
  world.publish_tlsa(kHost1, world.certificate("another.example"));
  const auto report = world.deliver(DeliveryWorld::job());
  REQUIRE(report.tls_results.size() == 1);
  REQUIRE(report.tls_results[0].failure);
  const TlsFailure& failure = *report.tls_results[0].failure;
  CHECK(failure.type == TlsResultType::CertificateNotTrusted);
  CHECK(failure.sending_ip == "127.0.0.1");
  CHECK(failure.receiving_mx == kHost1);
  CHECK(failure.receiving_ip == "127.0.0.2");
  CHECK_FALSE(failure.reason_code.empty());
}

TEST_CASE("a host without STARTTLS, and one that refuses it, are starttls-not-supported") {
  DeliveryWorld world;
  ServerScript script;
  SECTION("not offered") {
    script.ehlo = "250 mx.example\r\n";
  }
  SECTION("refused for now") {
    script.starttls = "454 4.7.0 not now\r\n";
  }
  SECTION("refused for good") {
    script.starttls = "554 5.7.0 no\r\n";
  }
  dane_host(world, script);
  const auto report = world.deliver(DeliveryWorld::job());
  REQUIRE(report.tls_results.size() == 1);
  CHECK(report.tls_results[0].failure->type == TlsResultType::StarttlsNotSupported);
  CHECK(report.tls_results[0].policy.type == Type::Tlsa);
}

TEST_CASE("a connection that breaks in the handshake is not reported") {
  DeliveryWorld world;
  ServerScript script;
  script.starttls = "220 go\r\n<cut>";
  dane_host(world, script);
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].status == "4.4.2");
  CHECK(report.tls_results.empty());
}

TEST_CASE("a connection that does not come about is not reported") {
  DeliveryWorld world;
  dane_host(world);
  world.dns.a(kHost1, Status::Secure, {"127.0.0.77"});
  CHECK(world.deliver(DeliveryWorld::job()).tls_results.empty());
}

TEST_CASE("a host that DNSSEC refuses is reported without a session") {
  DeliveryWorld world;
  FakeSmtpServer& host = dane_host(world);
  world.dns.set("_" + std::to_string(world.options.port) + "._tcp." + kHost1, RecordType::TLSA, Status::Bogus, {});
  const auto report = world.deliver(DeliveryWorld::job());
  REQUIRE(report.tls_results.size() == 1);
  CHECK(report.tls_results[0].failure->type == TlsResultType::DnssecInvalid);
  CHECK(report.tls_results[0].policy.type == Type::Tlsa);
  CHECK(host.connections() == 0);
}

TEST_CASE("TLSA records that are of no use are reported although the session is a success") {
  DeliveryWorld world;
  dane_host(world);
  world.dns.set("_" + std::to_string(world.options.port) + "._tcp." + kHost1, RecordType::TLSA, Status::Secure,
                {TlsaRdata{std::string("\x03\x01", 2)}});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Delivered);
  REQUIRE(report.tls_results.size() == 1);
  CHECK(report.tls_results[0].failure->type == TlsResultType::TlsaInvalid);
}

TEST_CASE("hosts that were not needed are not reported") {
  DeliveryWorld world;
  dane_host(world);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}, {20, kHost2}});
  world.dns.a(kHost2, Status::Bogus, {}).aaaa(kHost2, Status::Bogus, {});
  const auto report = world.deliver(DeliveryWorld::job());
  REQUIRE(report.tls_results.size() == 1);
  CHECK_FALSE(report.tls_results[0].failure);
}

TEST_CASE("a message that set the policy of the domain aside says nothing about it") {
  DeliveryWorld world;
  dane_host(world);
  DeliveryJob job = DeliveryWorld::job();
  job.demands.request = TlsRequest::Optional;
  const auto report = world.deliver(std::move(job));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.tls_results.empty());
}

TEST_CASE("MX records that DNSSEC refuses are reported although no host is known") {
  DeliveryWorld world;
  const Status status = GENERATE(Status::Bogus, Status::Failed);
  world.dns.set(kReceiver, RecordType::MX, status, {});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Deferred);
  REQUIRE(report.tls_results.size() == (status == Status::Bogus ? 1 : 0));
  if (status == Status::Failed) return;
  CHECK(report.tls_results[0].policy.type == Type::NoPolicyFound);
  CHECK(report.tls_results[0].policy.domain == kReceiver);
  CHECK(report.tls_results[0].failure->type == TlsResultType::DnssecInvalid);
}
