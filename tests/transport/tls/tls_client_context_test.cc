#include "transport/tls/tls_client_context.h"

#include <catch2/catch.hpp>

#include "tests/transport/tls/memory_peers.h"

using namespace waxwing;
using namespace waxwing::test;
using State = TlsSession::State;

namespace {

/// An authority, and whatever server a test wants below it.
struct World {
  TestCertificate authority = make_self_signed({.common_name = "Test Authority",
                                                .dns_names = {},
                                                .not_before = day(-1'000),
                                                .not_after = day(1'000),
                                                .authority = true});
  WallTime now = day(0);
  std::unique_ptr<TlsClientContext> client = make_client(authority.pem, &now);

  Pair connect(const TestCertificate& certificate, const TlsRequirement& requirement) {
    return connect(make_server(certificate), requirement);
  }
  Pair connect(const std::shared_ptr<const TlsServerContext>& server, const TlsRequirement& requirement,
               std::string_view peer_key = "mx.example 192.0.2.1:25", std::string_view alpn = {}) {
    Pair pair{.client = client->start(requirement, peer_key, alpn),
              .server = server->start(),
              .client_heard = {},
              .server_heard = {}};
    pair.connect();
    return pair;
  }
};

std::string accepted_prefix() {
  return "the peer's certificate was not accepted: ";
}

}  // namespace

TEST_CASE("a certificate of a trusted authority for the name satisfies a PKIX requirement", "[tls]") {
  World world;
  const Pair pair = world.connect(issue(leaf_spec("mx.example"), world.authority), pkix("mx.example"));
  CHECK(pair.client->state() == State::Established);
  REQUIRE(pair.client->peer_verdict());
  CHECK(pair.client->peer_verdict()->result == CertificateResult::Accepted);
}

TEST_CASE("a PKIX requirement refuses what does not prove the name", "[tls]") {
  World world;
  CertificateSpec spec = leaf_spec("mx.example");
  CertificateResult expected = CertificateResult::Accepted;
  bool trusted = true;
  std::string alert;
  SECTION("another name") {
    spec = leaf_spec("other.example");
    expected = CertificateResult::HostMismatch;
    alert = "certificate_unknown";
  }
  SECTION("the name as common name only") {
    spec.dns_names = {};
    expected = CertificateResult::HostMismatch;
    alert = "certificate_unknown";
  }
  SECTION("expired") {
    spec.not_before = day(-90);
    spec.not_after = day(-2);
    expected = CertificateResult::Expired;
    alert = "certificate_expired";
  }
  SECTION("not yet valid") {
    spec.not_before = day(2);
    expected = CertificateResult::Expired;
    alert = "certificate_expired";
  }
  SECTION("self-signed") {
    trusted = false;
    expected = CertificateResult::NotTrusted;
    alert = "unknown_ca";
  }
  Pair pair = world.connect(trusted ? issue(spec, world.authority) : make_self_signed(spec), pkix("mx.example"));
  CHECK(pair.client->state() == State::Failed);
  REQUIRE(pair.client->peer_verdict());
  CHECK(pair.client->peer_verdict()->result == expected);
  CHECK(pair.client->failure() == accepted_prefix() + pair.client->peer_verdict()->detail);
  CHECK(pair.client_heard.empty());
  CHECK(pair.server->state() == State::Failed);
  CHECK(pair.server->failure() == "the peer ended TLS with the alert " + alert);
}

TEST_CASE("without any authorities nothing satisfies a PKIX requirement", "[tls]") {
  World world;
  auto context = TlsClientContext::create(nullptr, [&] { return world.now; });
  REQUIRE(context);
  world.client = std::move(*context);
  const TestCertificate certificate = issue(leaf_spec("mx.example"), world.authority);
  CHECK(world.connect(certificate, opportunistic()).client->state() == State::Established);
  const Pair pair = world.connect(certificate, pkix("mx.example"));
  CHECK(pair.client->state() == State::Failed);
  CHECK(pair.client->peer_verdict()->result == CertificateResult::NotTrusted);
}

TEST_CASE("an opportunistic requirement takes a self-signed, expired certificate of another name", "[tls]") {
  World world;
  CertificateSpec spec = leaf_spec("other.example");
  spec.not_after = day(-1);
  spec.not_before = day(-2);
  const Pair pair = world.connect(make_self_signed(spec), opportunistic());
  CHECK(pair.client->state() == State::Established);
}

TEST_CASE("a certificate is observed without consequence where an opportunistic requirement names the host", "[tls]") {
  World world;
  TlsRequirement requirement = opportunistic();
  CHECK_FALSE(world.connect(issue(leaf_spec("mx.example"), world.authority), requirement).client->peer_observation());
  requirement.reference_identifiers = {"mx.example"};
  const std::string name = GENERATE(as<std::string>(), "mx.example", "other.example");
  const Pair pair = world.connect(issue(leaf_spec(name), world.authority), requirement);
  CHECK(pair.client->state() == State::Established);
  CHECK(pair.client->peer_verdict()->result == CertificateResult::Accepted);
  REQUIRE(pair.client->peer_observation());
  CHECK(pair.client->peer_observation()->result ==
        (name == "mx.example" ? CertificateResult::Accepted : CertificateResult::HostMismatch));
}

TEST_CASE("certificates of all usual kinds of key can be verified", "[tls]") {
  World world;
  CertificateSpec spec = leaf_spec("mx.example");
  spec.key_kind = GENERATE(TestKeyKind::P256, TestKeyKind::P521, TestKeyKind::Rsa2048, TestKeyKind::Ed25519);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const TestCertificate certificate = issue(spec, world.authority);
  const bssl::UniquePtr<SSL_CTX> server = make_raw_server(certificate, version);
  RawPeer peer(server.get(), true);
  const auto session = world.client->start(pkix("mx.example"), "peer", {});
  InputBuffer heard;
  peer.exchange(*session, heard);
  INFO(session->failure());
  CHECK(session->state() == State::Established);
  CHECK(session->summary().version == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
}

TEST_CASE("a DANE requirement is satisfied by the key of its TLSA record whatever names and dates say", "[tls]") {
  World world;
  CertificateSpec spec = leaf_spec("other.example");
  spec.not_before = day(-20);
  spec.not_after = day(-10);
  const TestCertificate certificate = make_self_signed(spec);
  const Pair pair = world.connect(certificate, dane_ee(certificate));
  CHECK(pair.client->state() == State::Established);
}

TEST_CASE("a DANE requirement refuses another key, though a trusted authority vouches for it", "[tls]") {
  World world;
  const TestCertificate published = make_self_signed(leaf_spec("mx.example"));
  const Pair pair = world.connect(issue(leaf_spec("mx.example"), world.authority), dane_ee(published));
  CHECK(pair.client->state() == State::Failed);
  REQUIRE(pair.client->peer_verdict());
  CHECK(pair.client->peer_verdict()->result != CertificateResult::Accepted);
  CHECK(pair.client->failure().starts_with(accepted_prefix()));
}

TEST_CASE("a second connection under the same requirement resumes the session and verifies again", "[tls]") {
  World world;
  const TestCertificate certificate = issue(leaf_spec("mx.example"), world.authority);
  const auto server = make_server(certificate);
  const auto method =
      GENERATE(TlsRequirement::Method::Opportunistic, TlsRequirement::Method::Pkix, TlsRequirement::Method::Dane);
  const TlsRequirement requirement = method == TlsRequirement::Method::Dane   ? dane_ee(certificate)
                                     : method == TlsRequirement::Method::Pkix ? pkix("mx.example")
                                                                              : opportunistic();
  CHECK_FALSE(world.connect(server, requirement).client->summary().resumed);
  const Pair second = world.connect(server, requirement);
  CHECK(second.client->state() == State::Established);
  CHECK(second.client->summary().resumed);
  CHECK(second.server->summary().resumed);
  REQUIRE(second.client->peer_verdict());
  CHECK(second.client->peer_verdict()->result == CertificateResult::Accepted);
}

TEST_CASE("a session is resumed neither under another requirement nor for another peer or protocol", "[tls]") {
  World world;
  const TestCertificate certificate = issue(leaf_spec("mx.example"), world.authority);
  const auto server = make_server(certificate);
  REQUIRE(world.connect(server, opportunistic()).client->state() == State::Established);
  SECTION("PKIX") {
    CHECK_FALSE(world.connect(server, pkix("mx.example")).client->summary().resumed);
  }
  SECTION("DANE") {
    CHECK_FALSE(world.connect(server, dane_ee(certificate)).client->summary().resumed);
  }
  SECTION("another peer") {
    CHECK_FALSE(world.connect(server, opportunistic(), "mx.example 192.0.2.2:25").client->summary().resumed);
  }
  SECTION("another protocol") {
    CHECK_FALSE(
        world.connect(server, opportunistic(), "mx.example 192.0.2.1:25", "http/1.1").client->summary().resumed);
  }
  SECTION("the same, for comparison") {
    CHECK(world.connect(server, opportunistic()).client->summary().resumed);
  }
}

TEST_CASE("a resumed session is refused when the peer's certificate has expired meanwhile", "[tls]") {
  World world;
  const auto server = make_server(issue(leaf_spec("mx.example"), world.authority));
  REQUIRE(world.connect(server, pkix("mx.example")).client->state() == State::Established);
  world.now = day(91);
  const Pair second = world.connect(server, pkix("mx.example"));
  CHECK(second.client->state() == State::Failed);
  REQUIRE(second.client->peer_verdict());
  CHECK(second.client->peer_verdict()->result == CertificateResult::Expired);
}

TEST_CASE("a TLS 1.2 session too is verified again at resumption", "[tls]") {
  World world;
  const TestCertificate certificate = issue(leaf_spec("mx.example"), world.authority);
  const bssl::UniquePtr<SSL_CTX> server = make_raw_server(certificate, TLS1_2_VERSION);
  const auto connect = [&] {
    RawPeer peer(server.get(), true);
    auto session = world.client->start(pkix("mx.example"), "peer", {});
    InputBuffer heard;
    peer.exchange(*session, heard);
    return session;
  };
  CHECK_FALSE(connect()->summary().resumed);
  CHECK(connect()->summary().resumed);
  CHECK(connect()->summary().resumed);
  world.now = day(91);
  const auto late = connect();
  CHECK(late->state() == State::Failed);
  CHECK(late->peer_verdict()->result == CertificateResult::Expired);
}

TEST_CASE("after the TLSA record has changed, the old session does not help the old key", "[tls]") {
  World world;
  const TestCertificate old_certificate = make_self_signed(leaf_spec("mx.example"));
  const TestCertificate new_certificate = make_self_signed(leaf_spec("mx.example"));
  const auto server = make_server(old_certificate);
  REQUIRE(world.connect(server, dane_ee(old_certificate)).client->state() == State::Established);
  CHECK(world.connect(server, dane_ee(new_certificate)).client->state() == State::Failed);
}

TEST_CASE("a TLS 1.3 ticket is used once", "[tls]") {
  World world;
  const auto server = make_server(make_self_signed(leaf_spec("mx.example")));
  REQUIRE(world.connect(server, opportunistic()).client->state() == State::Established);
  const auto key = "mx.example 192.0.2.1:25";
  // Connections that begin, but never finish, use up the tickets of the first.
  std::size_t offered = 0;
  for (int i = 0; i < 10; ++i) {
    const auto session = world.client->start(opportunistic(), key, {});
    InputBuffer heard;
    static_cast<void>(session->feed({}, heard));
    // A ClientHello with a ticket is far longer than one without.
    offered += session->take_output().size() > 500 ? 1 : 0;
  }
  CHECK(offered >= 1);
  CHECK(offered <= kMaxSessionsPerPeer);
  CHECK_FALSE(world.connect(server, opportunistic()).client->summary().resumed);
}

TEST_CASE("a certificate for key encipherment alone is taken with TLS 1.2, which its peer then gets at once", "[tls]") {
  World world;
  CertificateSpec spec = leaf_spec("mx.example");
  spec.key_kind = TestKeyKind::Rsa2048;
  spec.key_usage = "keyEncipherment";
  const TestCertificate certificate = issue(spec, world.authority);
  const Pair first = world.connect(certificate, pkix("mx.example"));
  CHECK(first.client->state() == State::Failed);
  CHECK(first.client->may_be_tried_again());

  const Pair second = world.connect(certificate, pkix("mx.example"));
  CHECK(second.client->state() == State::Established);
  CHECK(second.client->summary().version == "TLSv1.2");
  CHECK_FALSE(second.client->may_be_tried_again());

  SECTION("and nothing less is asked of it") {
    const Pair other_name = world.connect(certificate, pkix("other.example"));
    CHECK(other_name.client->state() == State::Failed);
    CHECK_FALSE(other_name.client->may_be_tried_again());
    CHECK(other_name.client->failure().starts_with(accepted_prefix()));
  }
}

TEST_CASE("a server that knows nothing newer than TLS 1.1 is refused", "[tls]") {
  World world;
  const bssl::UniquePtr<SSL_CTX> server =
      make_raw_server(make_self_signed(leaf_spec("mx.example")), GENERATE(TLS1_VERSION, TLS1_1_VERSION));
  RawPeer peer(server.get(), true);
  const auto session = world.client->start(opportunistic(), "peer", {});
  InputBuffer heard;
  peer.exchange(*session, heard);
  CHECK(session->state() == State::Failed);
  CHECK(session->failure() == "the peer ended TLS with the alert protocol_version");
}

TEST_CASE("the client names the server and its protocol in the ClientHello", "[tls]") {
  World world;
  const bssl::UniquePtr<SSL_CTX> server = make_raw_server(make_self_signed(leaf_spec("mx.example")), TLS1_3_VERSION);
  RawPeer peer(server.get(), true);
  TlsRequirement requirement = opportunistic();
  requirement.server_name = "mta-sts.example";
  const auto session = world.client->start(requirement, "peer", "http/1.1");
  InputBuffer heard;
  static_cast<void>(session->feed({}, heard));
  const std::string hello = session->take_output();
  CHECK(hello.find("mta-sts.example") != std::string::npos);
  CHECK(hello.find("http/1.1") != std::string::npos);
}

TEST_CASE("a pinned key is accepted whatever its certificate says, and no other key is", "[tls]") {
  World world;
  CertificateSpec spec = leaf_spec("other.example");
  spec.not_before = day(-2);
  spec.not_after = day(-1);
  const TestCertificate pinned = make_self_signed(spec);
  TlsRequirement requirement;
  requirement.method = TlsRequirement::Method::Pin;
  requirement.server_name = "mx.example";
  requirement.pins = {sha256_octets(pinned.public_key)};
  CHECK(world.connect(pinned, requirement).client->state() == State::Established);
  const Pair pair = world.connect(issue(leaf_spec("mx.example"), world.authority), requirement);
  CHECK(pair.client->state() == State::Failed);
  CHECK(pair.client->peer_verdict()->result == CertificateResult::NotTrusted);
}

TEST_CASE("authorities of a requirement count in place of the public ones", "[tls]") {
  World world;
  const TestCertificate own = make_self_signed({.common_name = "Authority of one host",
                                                .dns_names = {},
                                                .not_before = day(-10),
                                                .not_after = day(10),
                                                .authority = true});
  auto anchors = TrustAnchors::from_pem(own.pem);
  REQUIRE(anchors);
  TlsRequirement requirement = pkix("mx.example");
  requirement.authorities = std::make_shared<const TrustAnchors>(std::move(*anchors));
  CHECK(requirement.sharing_key() != pkix("mx.example").sharing_key());
  CHECK(world.connect(issue(leaf_spec("mx.example"), own), requirement).client->state() == State::Established);
  CHECK(world.connect(issue(leaf_spec("mx.example"), world.authority), requirement).client->state() == State::Failed);
}
