// What a kept connection or TLS session may be used for: only what it would be made for.

#include <catch2/catch.hpp>

#include "tests/transport/delivery/tls_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Matching = TlsWorld::Matching;

namespace {

constexpr const char* kByDane = "delivered to mx1.hosting.example by dane, authenticated |";
constexpr const char* kByPolicy = "delivered to mx1.hosting.example by pkix, authenticated |";
constexpr const char* kByAnybody = "delivered to mx1.hosting.example by opportunistic, encrypted |";
constexpr const char* kNeighbour = "neighbour.example";

const Identity kNamed{.names = {kMx1}};
const Identity kNobody{.names = {"nobody.example"}, .issuer = Issuer::Itself};

struct ReuseWorld : TlsWorld {
  // As deliver(), without what reports count.
  std::string way(const std::string& domain = kReceiver, TlsRequest request = TlsRequest::None,
                  TlsLevel minimum = TlsLevel::Encrypted) {
    const std::string text = deliver(request, minimum, domain);
    return text.substr(0, text.find('|') + 1);
  }
  Host& with_dane(const Identity& identity = kNobody) {
    Host& host = dane_host(identity, offering_requiretls());
    publish_tlsa(kMx1, {tlsa(3, 1, Matching::Sha256, host.certificate)});
    return host;
  }
  Host& with_policy(const std::string& mode = "enforce") {
    Host& its_host = host(kMx1, kNamed);
    mx(Status::Insecure, {kMx1});
    https = &policy_host();
    https->serve(mode, kMx1);
    return its_host;
  }
  // The answers grow old, and with them the plan; connections stay.
  void forget() { pass(Seconds(301)); }
  HttpsPeer* https = nullptr;
};

}  // namespace

TEST_CASE("a kept connection carries the next message of the same domain, and is counted once (RFC 8460 §4.3)",
          "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  CHECK(world.deliver() == std::string(kByDane) + " tlsa success");
  CHECK(world.deliver() == kByDane);
  CHECK(host.server->connections() == 1);
}

TEST_CASE("a TLS session is resumed under the same requirement (RFC 8446 §2.2)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  CHECK(world.way() == kByDane);
  world.hang_up();
  CHECK(world.way() == kByDane);
  CHECK(host.server->connections() == 2);
  CHECK(host.server->resumed() == 1);
}

TEST_CASE("a kept connection is of no use once other TLSA records are published (RFC 7672 §2.2)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  CHECK(world.way() == kByDane);
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  world.forget();
  CHECK(world.way() == "deferred 4.7.5 |");
  CHECK(host.server->connections() == 2);
}

TEST_CASE("a TLS session is not resumed once other TLSA records are published (RFC 7672 §2.2)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  CHECK(world.way() == kByDane);
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa(), TlsWorld::tlsa(3, 1, Matching::Sha256, host.certificate)});
  world.forget();
  world.hang_up();
  CHECK(world.way() == kByDane);
  CHECK(host.server->resumed() == 0);
}

TEST_CASE("a certificate that has expired since is refused when a session is resumed (RFC 8461 §4.2)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_policy();
  world.https->serve("enforce", kMx1, 31'557'600);
  CHECK(world.way() == kByPolicy);
  world.hang_up();
  CHECK(world.way() == kByPolicy);
  CHECK(host.server->resumed() == 1);
  world.hang_up();
  world.pass(Seconds(3'600'001));  // the policy holds, although it cannot be renewed either
  CHECK(world.way() == "deferred 4.7.5 |");
}

TEST_CASE("a session of DANE-TA is refused at resumption once its certificate has expired (RFC 7671 §5.2)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.dane_host({.names = {kMx1}, .issuer = Issuer::Private, .sends_issuer = true});
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(2, 1, Matching::Sha256, world.private_authority)});
  CHECK(world.way() == kByDane);
  world.hang_up();
  CHECK(world.way() == kByDane);
  CHECK(host.server->resumed() == 1);
  world.hang_up();
  world.pass(Seconds(3'600'001));
  CHECK(world.deliver() == "deferred 4.7.5 | tlsa certificate-expired");
}

TEST_CASE("a connection that nobody verified is of no use once a policy is enforced (RFC 8461 §5)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_policy("testing");
  CHECK(world.way() == kByAnybody);
  world.policy_record("v=STSv1; id=2;");
  world.https->serve("enforce", kMx1);
  world.forget();
  CHECK(world.way() == kByPolicy);
  CHECK(host.server->connections() == 2);
  CHECK(host.server->resumed() == 0);
}

TEST_CASE("domains with the same host and the same requirement share a connection (RFC 7672 §3.1.1)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  world.mx(Status::Secure, {kMx1}, kNeighbour);
  CHECK(world.way() == kByDane);
  CHECK(world.way(kNeighbour) == kByDane);
  CHECK(host.server->connections() == 1);
}

TEST_CASE("domains do not share a certificate that was accepted for the name of one of them (RFC 7672 §3.2.2)",
          "[reuse]") {
  ReuseWorld world;
  world.dane_host({.names = {kReceiver}, .issuer = Issuer::Private, .sends_issuer = true});
  world.mx(Status::Secure, {kMx1}, kNeighbour);
  world.publish_tlsa(kMx1, {TlsWorld::tlsa(2, 1, Matching::Sha256, world.private_authority)});
  CHECK(world.way() == kByDane);
  CHECK(world.deliver(TlsRequest::None, TlsLevel::Encrypted, kNeighbour) ==
        "deferred 4.7.5 | tlsa certificate-host-mismatch");
  CHECK(world.way() == kByDane);
}

TEST_CASE("a domain under an insecure MX does not share what DNSSEC vouched for (RFC 7672 §2.2.1)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  world.mx(Status::Insecure, {kMx1}, kNeighbour);
  CHECK(world.way() == kByDane);
  CHECK(world.way(kNeighbour) == "delivered to mx1.hosting.example by dane, verified |");
  CHECK(host.server->connections() == 2);
  CHECK(host.server->resumed() == 0);
}

TEST_CASE("a domain with an enforced policy does not share what nobody verified (RFC 8461 §5)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_policy();
  world.mx(Status::Insecure, {kMx1}, kNeighbour);
  CHECK(world.way(kNeighbour) == kByAnybody);
  CHECK(world.way() == kByPolicy);
  CHECK(host.server->connections() == 2);
  CHECK(host.server->resumed() == 0);
}

TEST_CASE("a bad certificate that one domain does not look at is refused for another (RFC 8461 §5)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.host(kMx1, kNobody);
  world.mx(Status::Insecure, {kMx1});
  world.mx(Status::Insecure, {kMx1}, kNeighbour);
  world.policy_host().serve("enforce", kMx1);
  CHECK(world.way(kNeighbour) == kByAnybody);
  CHECK(world.way() == "deferred 4.7.5 |");
  CHECK(world.way(kNeighbour) == kByAnybody);
  CHECK(host.server->count("MAIL") == 2);
}

TEST_CASE("messages with and without REQUIRETLS share a connection that satisfies both (RFC 8689 §4.2.1)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  CHECK(world.way() == kByDane);
  CHECK(world.way(kReceiver, TlsRequest::Required) == kByDane);
  CHECK(world.way() == kByDane);
  CHECK(host.server->connections() == 1);
  CHECK(host.server->count("MAIL FROM:<sender@client.example> REQUIRETLS") == 1);
}

TEST_CASE("a message that gives up TLS policies has a connection of its own (RFC 8689 §4.2.2)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  CHECK(world.way(kReceiver, TlsRequest::Optional) == kByAnybody);
  CHECK(world.way() == kByDane);
  CHECK(host.server->connections() == 2);
  CHECK(host.server->resumed() == 0);
}

TEST_CASE("a message with a higher minimum does not use what was opened for a lower one (RFC 9525 §6)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.host(kMx1, kNobody);
  world.mx(Status::Insecure, {kMx1});
  CHECK(world.way() == kByAnybody);
  CHECK(world.way(kReceiver, TlsRequest::None, TlsLevel::Verified) == "deferred 4.7.5 |");
  CHECK(host.server->count("MAIL") == 1);
}

TEST_CASE("hosts of different names at one address share neither connection nor session (RFC 7672 §3.2.2)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.host(kMx1, {.names = {kMx1}});
  world.dns.a(kMx2, Status::Insecure, {"127.0.0.2"}).aaaa(kMx2, Status::Insecure, {});
  world.mx(Status::Insecure, {kMx1});
  world.mx(Status::Insecure, {kMx2}, kNeighbour);
  const auto verified = [&](const std::string& domain) {
    return world.way(domain, TlsRequest::None, TlsLevel::Verified);
  };
  CHECK(verified(kReceiver) == "delivered to mx1.hosting.example by pkix, verified |");
  CHECK(verified(kNeighbour) == "deferred 4.7.5 |");
  CHECK(host.server->resumed() == 0);
}

TEST_CASE("a host that changed its key and forgot its sessions is verified anew (RFC 7672 §2.2)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  CHECK(world.way() == kByDane);
  host.server->use(world.context(kNobody));  // another key
  world.hang_up();
  CHECK(world.deliver() == "deferred 4.7.5 | tlsa certificate-not-trusted");
}

TEST_CASE("a connection that has carried its share is followed by one that resumes (RFC 8446 §2.2)", "[reuse]") {
  ReuseWorld world;
  world.options.max_messages_per_connection = 2;
  const auto& host = world.with_dane();
  for (int i = 0; i < 4; ++i) CHECK(world.way() == kByDane);
  CHECK(host.server->connections() == 2);
  CHECK(host.server->resumed() == 1);
}

TEST_CASE("a kept connection that died costs a connection and no message (RFC 5321 §4.2.1)", "[reuse]") {
  ReuseWorld world;
  const auto& host = world.with_dane();
  CHECK(world.way() == kByDane);
  host.server->hang_up();  // nobody on our side has looked yet
  CHECK(world.way() == kByDane);
  CHECK(host.server->connections() == 2);
}
