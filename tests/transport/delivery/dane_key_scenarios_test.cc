// What TLSA records prove: which of them count, and what a certificate must be for each.

#include <catch2/catch.hpp>

#include "tests/transport/delivery/tls_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Matching = TlsWorld::Matching;

namespace {

constexpr const char* kByDane = "delivered to mx1.hosting.example by dane, authenticated | tlsa success";
constexpr const char* kUntrusted = "deferred 4.7.5 | tlsa certificate-not-trusted";
constexpr const char* kMismatch = "deferred 4.7.5 | tlsa certificate-host-mismatch";
constexpr const char* kUnusable = "delivered to mx1.hosting.example by opportunistic, encrypted | tlsa tlsa-invalid";

const Identity kNobody{.names = {"nobody.example"}, .issuer = Issuer::Itself};
const Identity kNamedPrivately{.names = {kMx1}, .issuer = Issuer::Private, .sends_issuer = true};

// One host that shows a certificate, and one record about it or about its issuer.
std::string with_record(const Identity& identity, int usage, int selector, Matching matching) {
  TlsWorld world;
  const auto& host = world.dane_host(identity);
  const auto& subject = usage == 3 ? host.certificate : world.private_authority;
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(usage, selector, matching, subject)});
  return world.deliver();
}

// One host with a certificate of nobody, and records as they are.
std::string with_rdata(const std::vector<std::string>& rdata, ServerScript script = {}) {
  TlsWorld world;
  world.dane_host(kNobody, std::move(script));
  world.publish_tlsa(kMx1, rdata);
  return world.deliver();
}

}  // namespace

TEST_CASE("DANE-EE: the digest of the key is enough (RFC 7672 §3.1.1)", "[dane]") {
  CHECK(with_record({.names = {kMx1}}, 3, 1, Matching::Sha256) == kByDane);
}

TEST_CASE("DANE-EE: names do not matter (RFC 7671 §5.1)", "[dane]") {
  CHECK(with_record({.names = {"other.example"}}, 3, 1, Matching::Sha256) == kByDane);
}

TEST_CASE("DANE-EE: dates do not matter (RFC 7671 §5.1)", "[dane]") {
  CHECK(with_record({.names = {kMx1}, .dates = Dates::Expired}, 3, 1, Matching::Sha256) == kByDane);
}

TEST_CASE("DANE-EE: the issuer does not matter (RFC 7671 §5.1)", "[dane]") {
  CHECK(with_record({.names = {kMx1}, .issuer = Issuer::Itself}, 3, 1, Matching::Sha256) == kByDane);
}

TEST_CASE("DANE-EE: a certificate without any name will do (RFC 7671 §5.1)", "[dane]") {
  CHECK(with_record({.names = {}, .issuer = Issuer::Itself}, 3, 1, Matching::Sha256) == kByDane);
}

TEST_CASE("DANE-EE: the digest of the whole certificate (RFC 6698 §2.1.2)", "[dane]") {
  CHECK(with_record(kNobody, 3, 0, Matching::Sha256) == kByDane);
}

TEST_CASE("DANE-EE: SHA-512 (RFC 6698 §2.1.3)", "[dane]") {
  CHECK(with_record(kNobody, 3, 1, Matching::Sha512) == kByDane);
}

TEST_CASE("DANE-EE: the key itself in DNS (RFC 6698 §2.1.3)", "[dane]") {
  CHECK(with_record(kNobody, 3, 1, Matching::Exact) == kByDane);
}

TEST_CASE("DANE-EE: the certificate itself in DNS (RFC 6698 §2.1.3)", "[dane]") {
  CHECK(with_record(kNobody, 3, 0, Matching::Exact) == kByDane);
}

TEST_CASE("DANE-EE: an RSA key (RFC 7671 §5.1)", "[dane]") {
  CHECK(with_record({.names = {kMx1}, .key_kind = test::TestKeyKind::Rsa2048}, 3, 1, Matching::Sha256) == kByDane);
}

TEST_CASE("DANE-EE: a key that no record names is refused, whoever signed it (RFC 7672 §2.2)", "[dane]") {
  TlsWorld world;
  world.dane_host({.names = {kMx1}});
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() == kUntrusted);
}

TEST_CASE("DANE-EE: during a key roll one of the records matches, in whatever order (RFC 7671 §8.1)", "[dane]") {
  TlsWorld world;
  const auto& host = world.dane_host(kNobody);
  const std::string current = TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate);
  const bool first = GENERATE(true, false);
  world.publish_tlsa(
      kMx1, first ? std::vector{current, TlsWorld::wrong_tlsa()} : std::vector{TlsWorld::wrong_tlsa(), current});
  CHECK(world.deliver() == kByDane);
}

TEST_CASE("DANE-EE: a record of the issuer does not vouch for the leaf (RFC 7671 §5.1)", "[dane]") {
  TlsWorld world;
  world.dane_host(kNamedPrivately);
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(3, 1, Matching::Sha256, world.private_authority)});
  CHECK(world.deliver() == kUntrusted);
}

TEST_CASE("DANE-TA: an issuer in the chain, by certificate or key, digest or in full (RFC 7672 §3.1.2)", "[dane]") {
  const int selector = GENERATE(0, 1);
  const auto matching = GENERATE(Matching::Sha256, Matching::Sha512, Matching::Exact);
  CHECK(with_record(kNamedPrivately, 2, selector, matching) == kByDane);
}

TEST_CASE("DANE-TA: an issuer that the host does not send is not known from a digest (RFC 7671 §5.2.2)", "[dane]") {
  CHECK(with_record({.names = {kMx1}, .issuer = Issuer::Private}, 2, 1, Matching::Sha256) == kUntrusted);
}

TEST_CASE("DANE-TA: a bare key in DNS proves what it signed although its certificate is not sent (RFC 7671 §5.2.3)",
          "[dane]") {
  CHECK(with_record({.names = {kMx1}, .issuer = Issuer::Private}, 2, 1, Matching::Exact) == kByDane);
}

TEST_CASE("DANE-TA: the certificate must be for the host (RFC 7672 §3.2.2)", "[dane]") {
  CHECK(with_record({.names = {"other.example"}, .issuer = Issuer::Private, .sends_issuer = true}, 2, 1,
                    Matching::Sha256) == kMismatch);
}

TEST_CASE("DANE-TA: a common name is no name. Departs from RFC 7672 §3.2.3 with RFC 9525 §6", "[dane]") {
  CHECK(with_record({.names = {}, .issuer = Issuer::Private, .common_name = kMx1, .sends_issuer = true}, 2, 1,
                    Matching::Sha256) == kMismatch);
}

TEST_CASE("DANE-TA: a wildcard covers one label (RFC 7672 §3.2.3)", "[dane]") {
  CHECK(with_record({.names = {"*.hosting.example"}, .issuer = Issuer::Private, .sends_issuer = true}, 2, 1,
                    Matching::Sha256) == kByDane);
  CHECK(with_record({.names = {"*.example"}, .issuer = Issuer::Private, .sends_issuer = true}, 2, 1,
                    Matching::Sha256) == kMismatch);
}

TEST_CASE("DANE-TA: under a secure MX the certificate may be for the recipient's domain (RFC 7672 §3.2.2)", "[dane]") {
  CHECK(with_record({.names = {kReceiver}, .issuer = Issuer::Private, .sends_issuer = true}, 2, 1, Matching::Sha256) ==
        kByDane);
}

TEST_CASE("DANE-TA: under an insecure MX the recipient's domain is no name of the host (RFC 7672 §3.2.2)", "[dane]") {
  TlsWorld world;
  world.dane_host({.names = {kReceiver}, .issuer = Issuer::Private, .sends_issuer = true});
  world.mx(Status::Insecure, {kMx1});
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(2, 1, Matching::Sha256, world.private_authority)});
  CHECK(world.deliver() == kMismatch);
}

TEST_CASE("DANE-TA: dates count (RFC 7671 §5.2)", "[dane]") {
  CHECK(with_record({.names = {kMx1}, .issuer = Issuer::Private, .dates = Dates::Expired, .sends_issuer = true}, 2, 1,
                    Matching::Sha256) == "deferred 4.7.5 | tlsa certificate-expired");
}

TEST_CASE("DANE-TA: the key of the leaf itself is no issuer (RFC 7671 §5.2)", "[dane]") {
  TlsWorld world;
  const auto& host = world.dane_host({.names = {kMx1}, .issuer = Issuer::Private});
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(2, 1, Matching::Sha256, host.certificate)});
  CHECK(world.deliver() == kUntrusted);
}

TEST_CASE("DANE-TA: a certificate of a public authority that no record names is refused (RFC 7672 §3.1.2)", "[dane]") {
  CHECK(with_record({.names = {kMx1}, .sends_issuer = true}, 2, 1, Matching::Sha256) == kUntrusted);
}

TEST_CASE("PKIX-TA and PKIX-EE are not for SMTP: TLS is mandatory, the certificate is not looked at (RFC 7672 §3.1.3)",
          "[dane]") {
  CHECK(with_rdata({TlsWorld::wrong_tlsa(GENERATE(0, 1))}) == kUnusable);
}

TEST_CASE("PKIX-EE beside DANE-EE is passed over (RFC 7672 §3.1.3)", "[dane]") {
  TlsWorld world;
  const auto& host = world.dane_host(kNobody);
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa(1), TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate)});
  CHECK(world.deliver() == kByDane);
}

TEST_CASE("a usage, selector or matching type that nobody knows makes a record unusable (RFC 7671 §4)", "[dane]") {
  const std::string digest(32, 'x');
  const std::string fields = GENERATE(std::string("\xff\x01\x01"), std::string("\x03\x02\x01"),
                                      std::string("\x03\x01\x03"), std::string("\x04\x01\x01"));
  CHECK(with_rdata({fields + digest}) == kUnusable);
}

TEST_CASE("a digest of the wrong length makes a record unusable (RFC 7671 §4)", "[dane]") {
  const std::size_t octets = GENERATE(1, 31, 33, 64);
  CHECK(with_rdata({std::string("\x03\x01\x01") + std::string(octets, 'x')}) == kUnusable);
}

TEST_CASE("rdata that is no record counts as an unusable one, not as none (RFC 7672 §2.2)", "[dane]") {
  const std::size_t octets = GENERATE(0, 1, 2, 3);
  CHECK(with_rdata({std::string(octets, '\x03')}) == kUnusable);
}

TEST_CASE("rdata that is no record does not spoil the good ones beside it (RFC 7671 §4)", "[dane]") {
  TlsWorld world;
  const auto& host = world.dane_host(kNobody);
  world.publish_tlsa(kMx1, {"\x03", TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate)});
  CHECK(world.deliver() == kByDane);
}

TEST_CASE("unusable records alone still forbid clear text (RFC 7672 §2.2)", "[dane]") {
  CHECK(with_rdata({TlsWorld::wrong_tlsa(1)}, without_starttls()) == "deferred 4.7.4 | tlsa starttls-not-supported");
}

TEST_CASE("digest agility: of one usage and selector only the strongest digest counts (RFC 7671 §9)", "[dane]") {
  TlsWorld world;
  const auto& host = world.dane_host(kNobody);
  world.publish_tlsa(
      kMx1, {TlsWorld::wrong_tlsa(3, 1, Matching::Sha512), TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate)});
  CHECK(world.deliver() == kUntrusted);
}

TEST_CASE("digest agility: another selector has its own strongest digest (RFC 7671 §9)", "[dane]") {
  TlsWorld world;
  const auto& host = world.dane_host(kNobody);
  world.publish_tlsa(
      kMx1, {TlsWorld::wrong_tlsa(3, 0, Matching::Sha512), TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate)});
  CHECK(world.deliver() == kByDane);
}

TEST_CASE("digest agility: full data does not compete with digests (RFC 7671 §9)", "[dane]") {
  TlsWorld world;
  const auto& host = world.dane_host(kNobody);
  world.publish_tlsa(
      kMx1, {TlsWorld::wrong_tlsa(3, 1, Matching::Exact), TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate)});
  CHECK(world.deliver() == kByDane);
}

TEST_CASE("a thousand records are looked at up to a limit, and what is beyond proves nothing (RFC 7672 §2.2)",
          "[dane]") {
  TlsWorld world;
  const auto& host = world.dane_host(kNobody);
  const bool within = GENERATE(true, false);
  std::vector<std::string> records;
  for (int i = 0; i < 1'000; ++i)
    records.push_back(std::string("\x03\x01\x01") + std::string(30, 'x') + std::to_string(10 + i).substr(0, 2));
  records[within ? 50 : 900] = TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate);
  world.publish_tlsa(kMx1, records);
  CHECK(world.deliver() == (within ? kByDane : kUntrusted));
}
