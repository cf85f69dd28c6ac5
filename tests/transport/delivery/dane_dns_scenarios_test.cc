// When TLSA records count at all: the DNSSEC state of each lookup on the way, aliases, several hosts.

#include <catch2/catch.hpp>

#include "tests/transport/delivery/tls_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Matching = TlsWorld::Matching;

namespace {

constexpr const char* kByDane = "delivered to mx1.hosting.example by dane, authenticated | tlsa success";
constexpr const char* kByAnybody =
    "delivered to mx1.hosting.example by opportunistic, encrypted | no-policy-found success";
constexpr const char* kUntrusted = "deferred 4.7.5 | tlsa certificate-not-trusted";
constexpr const char* kTarget = "real.hosting.example";

const Identity kNobody{.names = {"nobody.example"}, .issuer = Issuer::Itself};

std::string matching(const TlsWorld::Host& host) {
  return TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate);
}

// A host with a matching record, everything secure.
struct SecureWorld : TlsWorld {
  Host& host_;
  explicit SecureWorld(ServerScript script = {}) : host_(dane_host(kNobody, std::move(script))) {
    publish_tlsa(kMx1, {matching(host_)});
  }
};

// kMx1 is an alias of kTarget, where the addresses are.
struct AliasWorld : TlsWorld {
  Host& host_;
  explicit AliasWorld(Status addresses, Status alias) : host_(host(kTarget, kNobody, addresses)) {
    mx(Status::Secure, {kMx1});
    dns.a(kMx1, addresses, {"127.0.0.2"}, kTarget).aaaa(kMx1, addresses, {}, kTarget);
    dns.set(kMx1, RecordType::CNAME, alias, {PtrRecord{kTarget}});
    publish_tlsa(kMx1, {});
    publish_tlsa(kTarget, {});
  }
};

}  // namespace

TEST_CASE("a usable record forbids a host without STARTTLS (RFC 7672 §2.2)", "[dane]") {
  CHECK(SecureWorld(without_starttls()).deliver() == "deferred 4.7.4 | tlsa starttls-not-supported");
}

TEST_CASE("a usable record forbids a host that refuses STARTTLS, for now or for good (RFC 7672 §2.2)", "[dane]") {
  ServerScript script;
  script.starttls = GENERATE(std::string("454 4.7.0 not now\r\n"), std::string("502 5.5.1 what?\r\n"));
  CHECK(SecureWorld(std::move(script)).deliver() == "deferred 4.7.4 | tlsa starttls-not-supported");
}

TEST_CASE("an MX lookup that failed is not \"no DANE\" (RFC 7672 §2.1.3)", "[dane]") {
  SecureWorld world;
  world.dns.set(kReceiver, RecordType::MX, Status::Failed, {});
  CHECK(world.deliver() == "deferred 4.4.3 |");
}

TEST_CASE("an MX lookup that is bogus defers and is reported (RFC 7672 §2.1.1, RFC 8460 §4.3.2)", "[dane]") {
  SecureWorld world;
  world.dns.set(kReceiver, RecordType::MX, Status::Bogus, {});
  CHECK(world.deliver() == "deferred 4.4.3 | no-policy-found dnssec-invalid");
}

TEST_CASE("an address lookup that is bogus defers and is reported (RFC 7672 §2.1.1, RFC 8460 §4.3.2)", "[dane]") {
  SecureWorld world;
  world.dns.set(kMx1, GENERATE(RecordType::A, RecordType::AAAA), Status::Bogus, {});
  CHECK(world.deliver() == "deferred 4.4.3 | no-policy-found dnssec-invalid");
  CHECK(world.host_.server->connections() == 0);
}

TEST_CASE("an address lookup that failed defers although the other family is known (RFC 7672 §2.1.3)", "[dane]") {
  SecureWorld world;
  world.dns.set(kMx1, RecordType::AAAA, Status::Failed, {});
  CHECK(world.deliver() == "deferred 4.4.3 |");
  CHECK(world.host_.server->connections() == 0);
}

TEST_CASE("a TLSA lookup that failed defers: it may hide a record (RFC 7672 §2.2)", "[dane]") {
  SecureWorld world;
  world.publish_tlsa(kMx1, {}, Status::Failed);
  CHECK(world.deliver() == "deferred 4.4.3 |");
  CHECK(world.host_.server->connections() == 0);
}

TEST_CASE("a TLSA lookup that is bogus defers and is reported (RFC 7672 §2.1.1, RFC 8460 §4.3.2)", "[dane]") {
  SecureWorld world;
  world.publish_tlsa(kMx1, {}, Status::Bogus);
  CHECK(world.deliver() == "deferred 4.4.3 | tlsa dnssec-invalid");
  CHECK(world.host_.server->connections() == 0);
}

TEST_CASE("under insecure addresses TLSA records are not even asked for (RFC 7672 §2.2.2)", "[dane]") {
  TlsWorld world;
  world.host(kMx1, kNobody, Status::Insecure);
  world.mx(Status::Secure, {kMx1});
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() == kByAnybody);
  CHECK(world.asked("_" + std::to_string(world.options.port) + "._tcp.mx1.hosting.example", RecordType::TLSA) == 0);
}

TEST_CASE("TLSA records that are insecure do not count (RFC 7672 §2.2)", "[dane]") {
  SecureWorld world;
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()}, Status::Insecure);
  CHECK(world.deliver() == kByAnybody);
}

TEST_CASE("TLSA records that are securely absent ask for nothing (RFC 7672 §2.2)", "[dane]") {
  SecureWorld world;
  const std::string name = "_" + std::to_string(world.options.port) + "._tcp.mx1.hosting.example";
  if (GENERATE(true, false)) {
    world.publish_tlsa(kMx1, {});
  } else {
    world.dns.nxdomain(name, RecordType::TLSA, Status::Secure);
  }
  CHECK(world.deliver() == kByAnybody);
}

TEST_CASE("DANE of the host holds under an insecure MX, which does not authenticate the domain (RFC 7672 §2.2.1)",
          "[dane]") {
  SecureWorld world;
  world.mx(Status::Insecure, {kMx1});
  CHECK(world.deliver() == "delivered to mx1.hosting.example by dane, verified | tlsa success");
}

TEST_CASE("DANE of the host refuses under an insecure MX too (RFC 7672 §2.2.1)", "[dane]") {
  SecureWorld world;
  world.mx(Status::Insecure, {kMx1});
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() == kUntrusted);
}

TEST_CASE("a resolver that no longer validates makes mail wait: its \"insecure\" says nothing (RFC 7672 §2.1.1)",
          "[dane]") {
  TlsWorld world;
  world.host(kMx1, kNobody, Status::Insecure);
  world.mx(Status::Insecure, {kMx1});
  CHECK(world.deliver() == kByAnybody);
  world.dns.set(".", RecordType::A, Status::Insecure, {});
  world.probe_again();
  CHECK(world.deliver() == "deferred 4.4.3 |");
  world.dns.set(".", RecordType::A, Status::Secure, {});
  world.probe_again();
  CHECK(world.deliver() == "delivered to mx1.hosting.example by opportunistic, encrypted |");  // a kept connection
}

TEST_CASE("a secure alias: the records at its end count (RFC 7672 §2.2.2)", "[dane]") {
  AliasWorld world(Status::Secure, Status::Secure);
  world.publish_tlsa(kTarget, {matching(world.host_)});
  CHECK(world.deliver() == "delivered to mx1.hosting.example by dane, authenticated | tlsa success" + std::string());
  CHECK(world.report().tls_results[0].policy.domain == kTarget);
}

TEST_CASE("a secure alias: without records at its end those at the alias count (RFC 7672 §2.2.2)", "[dane]") {
  AliasWorld world(Status::Secure, Status::Secure);
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() == kUntrusted);
}

TEST_CASE("a secure alias: records at its end go before those at the alias (RFC 7672 §2.2.2)", "[dane]") {
  AliasWorld world(Status::Secure, Status::Secure);
  world.publish_tlsa(kTarget, {TlsWorld::wrong_tlsa()});
  world.publish_tlsa(kMx1, {matching(world.host_)});
  CHECK(world.deliver() == kUntrusted);
}

TEST_CASE("a secure alias: a lookup that failed at its end is not made up for at the alias (RFC 7672 §2.2.2)",
          "[dane]") {
  AliasWorld world(Status::Secure, Status::Secure);
  const bool bogus = GENERATE(true, false);
  world.publish_tlsa(kTarget, {}, bogus ? Status::Bogus : Status::Failed);
  world.publish_tlsa(kMx1, {matching(world.host_)});
  CHECK(world.deliver() == (bogus ? "deferred 4.4.3 | tlsa dnssec-invalid" : "deferred 4.4.3 |"));
}

TEST_CASE("a secure alias into an insecure zone: the records at the alias count (RFC 7672 §2.2.2)", "[dane]") {
  AliasWorld world(Status::Insecure, Status::Secure);
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  world.publish_tlsa(kTarget, {matching(world.host_)});
  CHECK(world.deliver() == kUntrusted);
}

TEST_CASE("an insecure alias has no TLSA records that count (RFC 7672 §2.2.2)", "[dane]") {
  AliasWorld world(Status::Insecure, Status::Insecure);
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() == kByAnybody);
}

TEST_CASE("a question about the alias itself that is not answered defers (RFC 7672 §2.2.2)", "[dane]") {
  AliasWorld world(Status::Insecure, Status::Failed);
  CHECK(world.deliver() == "deferred 4.4.3 |");
}

TEST_CASE("DANE-TA: the certificate may be for the end of the alias or for the alias (RFC 7672 §3.2.2)", "[dane]") {
  const std::string name = GENERATE(kTarget, kMx1, kReceiver);
  TlsWorld world;
  world.host(kTarget, {.names = {name}, .issuer = Issuer::Private, .sends_issuer = true}, Status::Secure);
  world.mx(Status::Secure, {kMx1});
  world.dns.a(kMx1, Status::Secure, {"127.0.0.2"}, kTarget).aaaa(kMx1, Status::Secure, {}, kTarget);
  world.publish_tlsa(kTarget, {TlsWorld::tlsa(2, 1, Matching::Sha256, world.private_authority)});
  CHECK(world.deliver(TlsRequest::None).starts_with("delivered to mx1.hosting.example by dane, authenticated"));
}

TEST_CASE("DANE-TA: the recipient's domain may be an alias, and the certificate for its end (RFC 7672 §3.2.2)",
          "[dane]") {
  const Status status = GENERATE(Status::Secure, Status::Insecure);
  TlsWorld world;
  world.host(kMx1, {.names = {"real.example"}, .issuer = Issuer::Private, .sends_issuer = true}, Status::Secure);
  world.dns.set(kReceiver, RecordType::MX, status, {MxRecord{10, kMx1}}, "real.example");
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(2, 1, Matching::Sha256, world.private_authority)});
  CHECK(world.deliver() == (status == Status::Secure ? kByDane : "deferred 4.7.5 | tlsa certificate-host-mismatch"));
}

TEST_CASE("records at another port say nothing about this one (RFC 7672 §2.2.2)", "[dane]") {
  SecureWorld world;
  world.publish_tlsa(kMx1, {});
  world.dns.set("_1._tcp.mx1.hosting.example", RecordType::TLSA, Status::Secure, {TlsaRdata{TlsWorld::wrong_tlsa()}});
  CHECK(world.deliver() == kByAnybody);
}

TEST_CASE("an address of a host that does not prove itself is passed over for the next (RFC 7672 §2.2)", "[dane]") {
  SecureWorld world;
  const auto& impostor = world.host("impostor.example", {.names = {kMx1}}, Status::Secure);
  world.dns.a(kMx1, Status::Secure, {"127.0.0.2", "127.0.0.3"});
  const std::string text = world.deliver();
  const bool impostor_first = impostor.server->connections() == 1;
  CHECK(text == (impostor_first ? "delivered to mx1.hosting.example by dane, authenticated | "
                                  "tlsa certificate-not-trusted, tlsa success"
                                : kByDane));
}

TEST_CASE("a host that DANE refuses is passed over for the next (RFC 7672 §2.2)", "[dane]") {
  TlsWorld world;
  world.host(kMx1, kNobody, Status::Secure);
  const auto& second = world.host(kMx2, kNobody, Status::Secure);
  world.mx(Status::Secure, {kMx1, kMx2});
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  world.publish_tlsa(kMx2, {matching(second)});
  CHECK(world.deliver() ==
        "delivered to mx2.hosting.example by dane, authenticated | tlsa certificate-not-trusted, tlsa success");
}

TEST_CASE("the records of one host say nothing about another (RFC 7672 §2.2)", "[dane]") {
  TlsWorld world;
  const auto& first = world.host(kMx1, kNobody, Status::Secure);
  world.host(kMx2, kNobody, Status::Secure);
  world.mx(Status::Secure, {kMx1, kMx2});
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  world.publish_tlsa(kMx2, {matching(first)});
  CHECK(world.deliver() == "deferred 4.7.5 | tlsa certificate-not-trusted, tlsa certificate-not-trusted");
}

TEST_CASE("a domain without MX is its own host, with TLSA records of its own (RFC 5321 §5.1, RFC 7672 §2.2.2)",
          "[dane]") {
  TlsWorld world;
  const auto& host = world.host(kReceiver, kNobody, Status::Secure);
  world.mx(Status::Secure, {});
  const bool right = GENERATE(true, false);
  world.publish_tlsa(kReceiver, {right ? matching(host) : TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() ==
        (right ? "delivered to receiver.example by dane, authenticated | tlsa success" : kUntrusted));
}

TEST_CASE("a null MX bounces, and there is nothing to report (RFC 7505 §3)", "[dane]") {
  TlsWorld world;
  world.dns.mx(kReceiver, Status::Secure, {{0, "."}});
  CHECK(world.deliver() == "bounced 5.1.10 |");
}

TEST_CASE("a rule that asks for an authenticated host is told of in a report where DANE is missing (RFC 8460 §4.3.2)",
          "[dane]") {
  TlsWorld world;
  world.host(kMx1, {.names = {kMx1}}, Status::Secure);
  world.mx(Status::Secure, {kMx1});
  CHECK(world.deliver(TlsRequest::None, TlsLevel::Authenticated) == "deferred 4.7.5 | no-policy-found dane-required");
}

TEST_CASE("mail that waited for a wrong record goes once DNS shows the right one, after its TTL (RFC 7671 §8.1)",
          "[dane]") {
  SecureWorld world;
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() == kUntrusted);
  world.publish_tlsa(kMx1, {matching(world.host_)});
  CHECK(world.deliver() == kUntrusted);
  world.pass(Seconds(301));
  CHECK(world.deliver() == kByDane);
}

TEST_CASE("a record that disappears securely takes its demand away, after its TTL (RFC 7672 §2.2)", "[dane]") {
  SecureWorld world;
  CHECK(world.deliver() == kByDane);
  world.publish_tlsa(kMx1, {});
  world.hang_up();
  CHECK(world.deliver() == kByDane);
  world.hang_up();
  world.pass(Seconds(301));
  CHECK(world.deliver() == kByAnybody);
}
