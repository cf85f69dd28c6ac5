#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "tests/transport/tls/memory_peers.h"
#include "transport/tls/tls_session.h"

using namespace waxwing;
using namespace waxwing::test;

namespace {

using Binding = std::optional<std::string>;

Binding binding_of(const TlsSession& session, const char* type) {
  const auto binding = session.channel_binding(type);
  return binding ? Binding(binding->reveal()) : std::nullopt;
}

/// One of many connections between the same client and the same server.
Pair connect(TlsClientContext& client, const TlsServerContext& server) {
  Pair pair{.client = client.start(opportunistic(), "peer", {}),
            .server = server.start(),
            .client_heard = {},
            .server_heard = {}};
  pair.connect();
  REQUIRE(pair.client->state() == TlsSession::State::Established);
  return pair;
}

}  // namespace

TEST_CASE("both ends of a connection have the same exported octets, and no other connection has them", "[tls]") {
  const TestCertificate certificate = make_self_signed(leaf_spec("relay.example"));
  const auto server = make_server(certificate);
  const WallTime now = day(0);
  const auto client = make_client(certificate.pem, &now);
  Binding last;
  for (int i = 0; i < 3; ++i) {  // the later ones resume the first
    const Pair pair = connect(*client, *server);
    CHECK(pair.server->summary().resumed == (i > 0));
    const Binding binding = binding_of(*pair.server, "tls-exporter");
    REQUIRE(binding);
    CHECK(binding->size() == 32);
    CHECK(binding == binding_of(*pair.client, "tls-exporter"));
    CHECK(binding != last);
    last = binding;
    CHECK_FALSE(binding_of(*pair.server, "tls-unique"));  // has no meaning in TLS 1.3
    for (const char* type : {"", "TLS-EXPORTER", "tls-exporter ", "tls-server-end-point-2"})
      CHECK_FALSE(binding_of(*pair.server, type));
  }
}

TEST_CASE("with TLS 1.2 the Finished message and exported octets are those that the peer has", "[tls]") {
  const auto server = make_server(make_self_signed(leaf_spec("relay.example")));
  const bssl::UniquePtr<SSL_CTX> client(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_max_proto_version(client.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(client.get(), SSL_VERIFY_NONE, nullptr);
  RawPeer peer(client.get(), false);
  const auto session = server->start();
  InputBuffer heard;
  SSL_do_handshake(peer.ssl());
  peer.exchange(*session, heard);
  REQUIRE(session->state() == TlsSession::State::Established);
  SSL_do_handshake(peer.ssl());

  std::string unique(64, '\0');
  std::size_t size = 0;
  REQUIRE(SSL_get_tls_unique(peer.ssl(), reinterpret_cast<std::uint8_t*>(unique.data()), &size, unique.size()) == 1);
  CHECK(binding_of(*session, "tls-unique") == unique.substr(0, size));
  std::string exported(32, '\0');
  REQUIRE(SSL_export_keying_material(peer.ssl(), reinterpret_cast<std::uint8_t*>(exported.data()), exported.size(),
                                     "EXPORTER-Channel-Binding", 24, nullptr, 0, 0) == 1);
  CHECK(binding_of(*session, "tls-exporter") == exported);
}

TEST_CASE("a server is known by the hash of its certificate, where that is signed over one", "[tls]") {
  const TestCertificate plain = make_self_signed(leaf_spec("relay.example"));
  CertificateSpec spec = leaf_spec("Authority");
  spec.authority = true;
  spec.key_kind = TestKeyKind::Ed25519;
  const TestCertificate by_ed25519 = issue(leaf_spec("relay.example"), make_self_signed(spec));
  const WallTime now = day(0);
  const auto end_point = [&now](const TestCertificate& certificate) {
    const auto client = make_client(certificate.pem, &now);
    const Pair pair = connect(*client, *make_server(certificate));
    CHECK_FALSE(binding_of(*pair.client, "tls-server-end-point"));  // it has no certificate of its own
    return binding_of(*pair.server, "tls-server-end-point");
  };
  CHECK(end_point(plain) == sha256_octets(plain.der));
  CHECK_FALSE(end_point(by_ed25519));
}
