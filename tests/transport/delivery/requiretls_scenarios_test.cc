// What a message itself asks of TLS: REQUIRETLS and "TLS-Required: No".

#include <catch2/catch.hpp>

#include "tests/transport/delivery/tls_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Matching = TlsWorld::Matching;

namespace {

constexpr const char* kMail = "MAIL FROM:<sender@client.example> REQUIRETLS";
constexpr const char* kByAnybody = "delivered to mx1.hosting.example by opportunistic, encrypted |";

const Identity kNamed{.names = {kMx1}};
const Identity kNobody{.names = {"nobody.example"}, .issuer = Issuer::Itself};

// A host that satisfies DANE.
struct DaneWorld : TlsWorld {
  Host& host_;
  explicit DaneWorld(ServerScript script = offering_requiretls()) : host_(dane_host(kNobody, std::move(script))) {
    publish_tlsa(kMx1, {tlsa(3, 1, Matching::Sha256, host_.certificate)});
  }
};

// A host that nothing vouches for but its certificate.
struct InsecureWorld : TlsWorld {
  Host& host_;
  explicit InsecureWorld(const Identity& identity = kNamed)
      : host_(host(kMx1, identity, Status::Insecure, offering_requiretls())) {
    mx(Status::Insecure, {kMx1});
  }
};

std::string require(TlsWorld& world) {
  return world.deliver(TlsRequest::Required);
}

std::string give_up(TlsWorld& world, TlsLevel minimum = TlsLevel::Encrypted) {
  return world.deliver(TlsRequest::Optional, minimum);
}

DeliveryJob bounce() {
  DeliveryJob job = TlsWorld::job();
  job.reverse_path.reset();
  job.demands.request = TlsRequest::Required;
  return job;
}

}  // namespace

TEST_CASE("REQUIRETLS: DANE and the offer satisfy it (RFC 8689 §4.2.1)", "[requiretls]") {
  DaneWorld world;
  CHECK(require(world) == "delivered to mx1.hosting.example by dane, authenticated | tlsa success");
  CHECK(world.host_.server->count(kMail) == 1);
}

TEST_CASE("REQUIRETLS: an enforced MTA-STS policy and the offer satisfy it (RFC 8689 §4.2.1)", "[requiretls]") {
  InsecureWorld world;
  world.policy_host().serve("enforce", kMx1);
  CHECK(require(world) == "delivered to mx1.hosting.example by pkix, authenticated | sts success");
  CHECK(world.host_.server->count(kMail) == 1);
}

TEST_CASE("REQUIRETLS: a secure MX and a certificate of a public authority satisfy it (RFC 8689 §4.2.1)",
          "[requiretls]") {
  TlsWorld world;
  const auto& host = world.dane_host(kNamed, offering_requiretls());
  CHECK(require(world) == "delivered to mx1.hosting.example by pkix, verified | no-policy-found success");
  CHECK(host.server->count(kMail) == 1);
}

TEST_CASE("REQUIRETLS: a secure MX and a certificate of nobody do not satisfy it (RFC 8689 §4.2.1)", "[requiretls]") {
  TlsWorld world;
  world.dane_host(kNobody, offering_requiretls());
  CHECK(require(world) == "bounced 5.7.10 | no-policy-found certificate-not-trusted");
}

TEST_CASE("REQUIRETLS: a certificate under an insecure MX does not satisfy it (RFC 8689 §4.2.1)", "[requiretls]") {
  InsecureWorld world;
  CHECK(require(world) == "bounced 5.7.10 |");
  CHECK(world.host_.server->connections() == 0);
}

TEST_CASE("REQUIRETLS: an MTA-STS policy in testing does not satisfy it (RFC 8689 §4.2.1)", "[requiretls]") {
  InsecureWorld world;
  world.policy_host().serve("testing", kMx1);
  CHECK(require(world) == "bounced 5.7.10 |");
}

TEST_CASE("REQUIRETLS: DANE under an insecure MX does not satisfy it (RFC 8689 §4.2.1)", "[requiretls]") {
  DaneWorld world;
  world.mx(Status::Insecure, {kMx1});
  CHECK(require(world) == "bounced 5.7.10 |");
}

TEST_CASE("REQUIRETLS: a host that does not offer it gets nothing, and the mail goes back (RFC 8689 §4.2.1)",
          "[requiretls]") {
  DaneWorld world{ServerScript()};
  CHECK(require(world) == "bounced 5.7.30 | tlsa success");  // the session itself was as the domain asks
  CHECK(world.host_.server->connections() == 1);
}

TEST_CASE("REQUIRETLS: an offer outside TLS does not count (RFC 8689 §2)", "[requiretls]") {
  ServerScript script;
  script.ehlo = "250-mx.example\r\n250-STARTTLS\r\n250 REQUIRETLS\r\n";
  DaneWorld world(std::move(script));
  CHECK(require(world) == "bounced 5.7.30 | tlsa success");
}

TEST_CASE("REQUIRETLS: a host that offers it is found behind one that does not (RFC 8689 §4.2.1)", "[requiretls]") {
  DaneWorld world{ServerScript()};
  const auto& second = world.host(kMx2, kNobody, Status::Secure, offering_requiretls());
  world.publish_tlsa(kMx2, {TlsWorld::tlsa(3, 1, Matching::Sha256, second.certificate)});
  world.mx(Status::Secure, {kMx1, kMx2});
  CHECK(require(world).starts_with("delivered to mx2.hosting.example by dane, authenticated"));
}

TEST_CASE("REQUIRETLS: a host that DANE refuses sends the mail back (RFC 8689 §4.2.1)", "[requiretls]") {
  DaneWorld world;
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(require(world) == "bounced 5.7.10 | tlsa certificate-not-trusted");
}

TEST_CASE("REQUIRETLS: a host without STARTTLS sends the mail back (RFC 8689 §4.2.1)", "[requiretls]") {
  DaneWorld world(without_starttls());
  CHECK(require(world) == "bounced 5.7.10 | tlsa starttls-not-supported");
}

TEST_CASE("REQUIRETLS: a lookup that failed says nothing, and the mail waits (RFC 8689 §4.2.1)", "[requiretls]") {
  DaneWorld world;
  if (GENERATE(true, false)) {
    world.dns.set(kReceiver, RecordType::MX, Status::Failed, {});
  } else {
    world.publish_tlsa(kMx1, {}, Status::Failed);
  }
  CHECK(require(world) == "deferred 4.4.3 |");
}

TEST_CASE("REQUIRETLS: a bounce goes on with it where the host offers it (RFC 8689 §5)", "[requiretls]") {
  DaneWorld world;
  CHECK(world.deliver(bounce()).starts_with("delivered to mx1.hosting.example by dane, authenticated"));
  CHECK(world.host_.server->count("MAIL FROM:<> REQUIRETLS") == 1);
}

TEST_CASE("REQUIRETLS: a bounce goes without it to a host that knows nothing of it (RFC 8689 §5)", "[requiretls]") {
  InsecureWorld world(kNobody);
  CHECK(world.deliver(bounce()) == std::string(kByAnybody) + " no-policy-found success");
  CHECK(world.host_.server->count("MAIL FROM:<> REQUIRETLS") == 0);
}

TEST_CASE("REQUIRETLS: who does not ask for it does not get it (RFC 8689 §4.2.1)", "[requiretls]") {
  DaneWorld world;
  CHECK(world.deliver().starts_with("delivered"));
  CHECK(world.host_.server->count("MAIL") == 1);
  CHECK(world.host_.server->count(kMail) == 0);
}

TEST_CASE("TLS-Required: No gives up DANE, and nothing is reported (RFC 8689 §4.2.2)", "[requiretls]") {
  DaneWorld world;
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(give_up(world) == kByAnybody);
}

TEST_CASE("TLS-Required: No gives up a TLSA lookup that fails (RFC 8689 §4.2.2)", "[requiretls]") {
  DaneWorld world;
  world.publish_tlsa(kMx1, {}, GENERATE(Status::Failed, Status::Bogus));
  CHECK(give_up(world) == kByAnybody);
}

TEST_CASE("TLS-Required: No gives up the list and the certificate of MTA-STS (RFC 8689 §4.2.2)", "[requiretls]") {
  InsecureWorld world(kNobody);
  world.policy_host().serve("enforce", GENERATE(std::string(kMx1), std::string("elsewhere.example")));
  CHECK(give_up(world) == kByAnybody);
}

TEST_CASE("TLS-Required: No gives up a policy that cannot be told (RFC 8689 §4.2.2)", "[requiretls]") {
  InsecureWorld world(kNobody);
  world.sts_cache.unreadable = true;
  CHECK(give_up(world) == kByAnybody);
}

TEST_CASE("TLS-Required: No does not mean clear text. Departs from RFC 8689 §4.2.2", "[requiretls]") {
  DaneWorld world(without_starttls());
  CHECK(give_up(world) == "deferred 4.7.4 |");
}

TEST_CASE("TLS-Required: No does not say where mail goes: a bogus MX or address makes it wait (RFC 8689 §4.2.2)",
          "[requiretls]") {
  DaneWorld world;
  if (GENERATE(true, false)) {
    world.dns.set(kReceiver, RecordType::MX, Status::Bogus, {});
  } else {
    world.dns.set(kMx1, RecordType::A, Status::Bogus, {});
  }
  CHECK(give_up(world) == "deferred 4.4.3 |");
}

TEST_CASE("TLS-Required: No does not go below a rule of the relay (RFC 8689 §4.2.2)", "[requiretls]") {
  DaneWorld world;
  CHECK(give_up(world, TlsLevel::Authenticated) == "deferred 4.7.5 |");
  CHECK(give_up(world, TlsLevel::Verified) == "deferred 4.7.5 |");  // a certificate of nobody
}

TEST_CASE("TLS-Required: No lets nobody else go with less: the next message needs what is published (RFC 8689 §4.2.2)",
          "[requiretls]") {
  DaneWorld world;
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(give_up(world) == kByAnybody);
  CHECK(world.deliver() == "deferred 4.7.5 | tlsa certificate-not-trusted");
}
