// What an MTA-STS policy asks of hosts, and how it gets along with DANE.

#include <catch2/catch.hpp>

#include "tests/transport/delivery/tls_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Matching = TlsWorld::Matching;

namespace {

constexpr const char* kByPolicy = "delivered to mx1.hosting.example by pkix, authenticated | sts success";
constexpr const char* kUnlisted = "deferred 4.7.5 | sts validation-failure";
constexpr const char* kTesting = "delivered to mx1.hosting.example by opportunistic, encrypted | sts ";

// One host, and a policy for it that is not secured by DNSSEC.
struct PolicyWorld : TlsWorld {
  Host& host_;
  explicit PolicyWorld(const Identity& identity, const std::string& mode = "enforce", const std::string& mx = kMx1,
                       ServerScript script = {})
      : host_(host(kMx1, identity, Status::Insecure, std::move(script))) {
    TlsWorld::mx(Status::Insecure, {kMx1});
    policy_host().serve(mode, mx);
  }
};

std::string enforced(const Identity& identity, const std::string& mx = kMx1, ServerScript script = {}) {
  return PolicyWorld(identity, "enforce", mx, std::move(script)).deliver();
}

std::string tested(const Identity& identity, const std::string& mx = kMx1, ServerScript script = {}) {
  return PolicyWorld(identity, "testing", mx, std::move(script)).deliver();
}

}  // namespace

TEST_CASE("enforce: a listed host with a good certificate gets the mail (RFC 8461 §4.2)", "[sts]") {
  CHECK(enforced({.names = {kMx1}}) == kByPolicy);
}

TEST_CASE("enforce: an RSA certificate (RFC 8461 §4.2)", "[sts]") {
  CHECK(enforced({.names = {kMx1}, .key_kind = test::TestKeyKind::Rsa2048}) == kByPolicy);
}

TEST_CASE("enforce: a pattern with a wildcard covers one label (RFC 8461 §4.1)", "[sts]") {
  CHECK(enforced({.names = {kMx1}}, "*.hosting.example") == kByPolicy);
}

TEST_CASE("enforce: a pattern with a wildcard does not cover two labels (RFC 8461 §4.1)", "[sts]") {
  CHECK(enforced({.names = {kMx1}}, "*.example") == kUnlisted);
}

TEST_CASE("enforce: a pattern with a wildcard does not cover the name below it (RFC 8461 §4.1)", "[sts]") {
  CHECK(enforced({.names = {kMx1}}, "*.mx1.hosting.example") == kUnlisted);
}

TEST_CASE("enforce: patterns and names are compared without regard to case (RFC 8461 §4.1)", "[sts]") {
  CHECK(enforced({.names = {kMx1}}, "MX1.Hosting.EXAMPLE") == kByPolicy);
}

TEST_CASE("enforce: a host that is not listed is not even connected to (RFC 8461 §4.1)", "[sts]") {
  PolicyWorld world({.names = {kMx1}}, "enforce", "mx.receiver.example");
  CHECK(world.deliver() == kUnlisted);
  CHECK(world.host_.server->connections() == 0);
}

TEST_CASE("enforce: a certificate for another name (RFC 8461 §4.2)", "[sts]") {
  CHECK(enforced({.names = {"other.example"}}) == "deferred 4.7.5 | sts certificate-host-mismatch");
}

TEST_CASE("enforce: a certificate for the recipient's domain is none for the host (RFC 8461 §4.2)", "[sts]") {
  CHECK(enforced({.names = {kReceiver}}) == "deferred 4.7.5 | sts certificate-host-mismatch");
}

TEST_CASE("enforce: a name only in the subject (RFC 9525 §6)", "[sts]") {
  CHECK(enforced({.names = {}, .common_name = kMx1}) == "deferred 4.7.5 | sts certificate-host-mismatch");
}

TEST_CASE("enforce: a certificate with a wildcard for the host (RFC 8461 §4.1)", "[sts]") {
  CHECK(enforced({.names = {"*.hosting.example"}}) == kByPolicy);
}

TEST_CASE("enforce: a certificate with a wildcard for two labels (RFC 8461 §4.1)", "[sts]") {
  CHECK(enforced({.names = {"*.example"}}) == "deferred 4.7.5 | sts certificate-host-mismatch");
}

TEST_CASE("enforce: a certificate with a wildcard inside a label (RFC 9525 §6)", "[sts]") {
  CHECK(enforced({.names = {"mx*.hosting.example"}}) == "deferred 4.7.5 | sts certificate-host-mismatch");
}

TEST_CASE("enforce: a certificate that has expired (RFC 8461 §4.2)", "[sts]") {
  CHECK(enforced({.names = {kMx1}, .dates = Dates::Expired}) == "deferred 4.7.5 | sts certificate-expired");
}

TEST_CASE("enforce: a certificate of nobody (RFC 8461 §4.2)", "[sts]") {
  CHECK(enforced({.names = {kMx1}, .issuer = Issuer::Itself}) == "deferred 4.7.5 | sts certificate-not-trusted");
}

TEST_CASE("enforce: a certificate of an authority that is not public (RFC 8461 §4.2)", "[sts]") {
  CHECK(enforced({.names = {kMx1}, .issuer = Issuer::Private, .sends_issuer = true}) ==
        "deferred 4.7.5 | sts certificate-not-trusted");
}

TEST_CASE("enforce: no STARTTLS (RFC 8461 §4.2)", "[sts]") {
  CHECK(enforced({.names = {kMx1}}, kMx1, without_starttls()) == "deferred 4.7.4 | sts starttls-not-supported");
}

TEST_CASE("enforce: STARTTLS that is refused (RFC 8461 §4.2)", "[sts]") {
  ServerScript script;
  script.starttls = "454 4.7.0 TLS not available\r\n";
  CHECK(enforced({.names = {kMx1}}, kMx1, script) == "deferred 4.7.4 | sts starttls-not-supported");
}

TEST_CASE("testing: all is well (RFC 8461 §5)", "[sts]") {
  CHECK(tested({.names = {kMx1}}) == std::string(kTesting) + "success");
}

TEST_CASE("testing: a bad certificate holds nothing back and is reported (RFC 8461 §5)", "[sts]") {
  CHECK(tested({.names = {"other.example"}}) == std::string(kTesting) + "certificate-host-mismatch");
  CHECK(tested({.names = {kMx1}, .dates = Dates::Expired}) == std::string(kTesting) + "certificate-expired");
  CHECK(tested({.names = {kMx1}, .issuer = Issuer::Itself}) == std::string(kTesting) + "certificate-not-trusted");
}

TEST_CASE("testing: a host that is not listed gets the mail, and that is reported (RFC 8461 §5)", "[sts]") {
  CHECK(tested({.names = {kMx1}}, "mx.receiver.example") == std::string(kTesting) + "validation-failure");
}

TEST_CASE("testing: clear text stays forbidden by the relay itself. Departs from RFC 8461 §5", "[sts]") {
  CHECK(tested({.names = {kMx1}}, kMx1, without_starttls()) == "deferred 4.7.4 | sts starttls-not-supported");
}

TEST_CASE("none: the domain says that it has no policy (RFC 8461 §5)", "[sts]") {
  CHECK(PolicyWorld({.names = {"other.example"}}, "none").deliver() ==
        "delivered to mx1.hosting.example by opportunistic, encrypted | no-policy-found success");
}

TEST_CASE("enforce: a host that is not listed is passed over for one that is (RFC 8461 §5.1)", "[sts]") {
  PolicyWorld world({.names = {kMx1}}, "enforce", kMx2);
  world.good_host(kMx2);
  world.mx(Status::Insecure, {kMx1, kMx2});
  CHECK(world.deliver() ==
        "delivered to mx2.hosting.example by pkix, authenticated | sts validation-failure, sts success");
}

TEST_CASE("enforce: a host with a bad certificate is passed over for a good one (RFC 8461 §5.1)", "[sts]") {
  PolicyWorld world({.names = {"other.example"}}, "enforce", "*.hosting.example");
  world.good_host(kMx2);
  world.mx(Status::Insecure, {kMx1, kMx2});
  CHECK(world.deliver() ==
        "delivered to mx2.hosting.example by pkix, authenticated | sts certificate-host-mismatch, sts success");
}

TEST_CASE("enforce: a domain without MX must list itself (RFC 8461 §4.1, RFC 5321 §5.1)", "[sts]") {
  TlsWorld world;
  world.good_host(kReceiver);
  const bool listed = GENERATE(true, false);
  world.policy_host().serve("enforce", listed ? kReceiver : "mx.receiver.example");
  CHECK(world.deliver() == (listed ? "delivered to receiver.example by pkix, authenticated | sts success" : kUnlisted));
}

TEST_CASE("the certificate is for the MX name, not for where an alias leads (RFC 8461 §4.1)", "[sts]") {
  const bool for_alias = GENERATE(true, false);
  TlsWorld world;
  world.host("real.hosting.example", {.names = {for_alias ? kMx1 : "real.hosting.example"}});
  world.dns.a(kMx1, Status::Insecure, {"127.0.0.2"}, "real.hosting.example")
      .aaaa(kMx1, Status::Insecure, {}, "real.hosting.example");
  world.mx(Status::Insecure, {kMx1});
  world.policy_host().serve("enforce", kMx1);
  CHECK(world.deliver() == (for_alias ? kByPolicy : "deferred 4.7.5 | sts certificate-host-mismatch"));
}

TEST_CASE("a policy is of the recipient's domain, not of the host (RFC 8461 §3)", "[sts]") {
  PolicyWorld world({.names = {"other.example"}});
  world.mx(Status::Insecure, {kMx1}, "neighbour.example");
  CHECK(world.deliver(TlsRequest::None, TlsLevel::Encrypted, "neighbour.example") ==
        "delivered to mx1.hosting.example by opportunistic, encrypted | no-policy-found success");
  CHECK(world.deliver() == "deferred 4.7.5 | sts certificate-host-mismatch");
}

TEST_CASE("a policy does not hold for names below its domain (RFC 8461 §3.4)", "[sts]") {
  PolicyWorld world({.names = {"other.example"}});
  world.mx(Status::Insecure, {kMx1}, "sub.receiver.example");
  CHECK(world.deliver(TlsRequest::None, TlsLevel::Encrypted, "sub.receiver.example") ==
        "delivered to mx1.hosting.example by opportunistic, encrypted | no-policy-found success");
}

TEST_CASE("a policy is not found through an alias of the recipient's domain (RFC 8461 §3.1)", "[sts]") {
  PolicyWorld world({.names = {"other.example"}});
  world.dns.set("alias.example", RecordType::MX, Status::Insecure, {MxRecord{10, kMx1}}, kReceiver);
  CHECK(world.deliver(TlsRequest::None, TlsLevel::Encrypted, "alias.example") ==
        "delivered to mx1.hosting.example by opportunistic, encrypted | no-policy-found success");
}

TEST_CASE("a failing DANE is not rescued by a policy that is satisfied (RFC 8461 §2)", "[sts]") {
  TlsWorld world;
  world.dane_host({.names = {kMx1}});
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  world.policy_host().serve("enforce", kMx1);
  CHECK(world.deliver() == "deferred 4.7.5 | tlsa certificate-not-trusted");
}

TEST_CASE("DANE that is satisfied goes before a policy that would not be (RFC 8461 §2)", "[sts]") {
  TlsWorld world;
  const auto& host = world.dane_host({.names = {}, .issuer = Issuer::Itself});
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate)});
  world.policy_host().serve("enforce", "elsewhere.example");
  CHECK(world.deliver() == "delivered to mx1.hosting.example by dane, authenticated | tlsa success");
}

TEST_CASE("DANE under an MX that may be forged does not go before the list of a policy (RFC 8461 §2)", "[sts]") {
  TlsWorld world;
  const auto& host = world.dane_host({.names = {}, .issuer = Issuer::Itself});
  world.mx(Status::Insecure, {kMx1});
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate)});
  world.policy_host().serve("enforce", "elsewhere.example");
  CHECK(world.deliver() == "deferred 4.7.5 | tlsa validation-failure");
  CHECK(host.server->connections() == 0);
}

TEST_CASE("unusable TLSA records leave an enforced policy in force (RFC 7672 §2.2, RFC 8461 §2)", "[sts]") {
  TlsWorld world;
  world.dane_host({.names = {"other.example"}});
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa(1)});
  world.policy_host().serve("enforce", kMx1);
  CHECK(world.deliver() == "deferred 4.7.5 | tlsa certificate-host-mismatch");
}

TEST_CASE("a TLSA lookup that failed is not made up for by a policy (RFC 7672 §2.1.3)", "[sts]") {
  TlsWorld world;
  world.dane_host({.names = {kMx1}});
  world.publish_tlsa(kMx1, {}, Status::Failed);
  world.policy_host().serve("enforce", kMx1);
  CHECK(world.deliver() == "deferred 4.4.3 |");
}
