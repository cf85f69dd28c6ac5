#include "transport/tls/tls_server_context.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/transport/tls/memory_peers.h"
#include "transport/tls/ticket_keys.h"

using namespace waxwing;
using namespace waxwing::test;
using State = TlsSession::State;

namespace {

/// A client that offers exactly these versions and, with TLS 1.2, these suites.
bssl::UniquePtr<SSL_CTX> make_raw_client(int min_version, int max_version, const char* suites = "ALL") {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_min_proto_version(context.get(), static_cast<std::uint16_t>(min_version));
  SSL_CTX_set_max_proto_version(context.get(), static_cast<std::uint16_t>(max_version));
  SSL_CTX_set_cipher_list(context.get(), suites);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

}  // namespace

TEST_CASE("a client that knows nothing newer than TLS 1.1 is refused", "[tls]") {
  const auto server = make_server(make_self_signed(leaf_spec("relay.example")));
  const bssl::UniquePtr<SSL_CTX> client = make_raw_client(TLS1_VERSION, GENERATE(TLS1_VERSION, TLS1_1_VERSION));
  RawPeer peer(client.get(), false);
  const auto session = server->start();
  InputBuffer heard;
  SSL_do_handshake(peer.ssl());
  peer.exchange(*session, heard);
  CHECK(session->state() == State::Failed);
  CHECK(session->failure() == "the peer offers neither TLS 1.2 nor TLS 1.3");
}

TEST_CASE("with TLS 1.2 only suites with ECDHE and AEAD are spoken", "[tls]") {
  CertificateSpec spec = leaf_spec("relay.example");
  spec.key_kind = TestKeyKind::Rsa2048;
  const auto server = make_server(make_self_signed(spec));
  const auto [suite, accepted] = GENERATE(table<const char*, bool>({{"ECDHE-RSA-AES128-GCM-SHA256", true},
                                                                    {"ECDHE-RSA-CHACHA20-POLY1305", true},
                                                                    {"ECDHE-RSA-AES128-SHA", false},
                                                                    {"AES128-GCM-SHA256", false},
                                                                    {"AES256-SHA", false}}));
  const bssl::UniquePtr<SSL_CTX> client = make_raw_client(TLS1_2_VERSION, TLS1_2_VERSION, suite);
  RawPeer peer(client.get(), false);
  const auto session = server->start();
  InputBuffer heard;
  SSL_do_handshake(peer.ssl());
  peer.exchange(*session, heard);
  INFO(suite << ": " << session->failure());
  CHECK(session->state() == (accepted ? State::Established : State::Failed));
  if (!accepted) CHECK(session->failure() == "the peer offers no cipher suite with ECDHE and AEAD");
}

TEST_CASE("a ticket of one server context is not accepted by another with the same certificate", "[tls]") {
  const TestCertificate certificate = make_self_signed(leaf_spec("relay.example"));
  const auto first = make_server(certificate);
  const auto second = make_server(certificate);
  const WallTime now = day(0);
  const auto client = make_client(certificate.pem, &now);
  const auto connect = [&](const std::shared_ptr<const TlsServerContext>& server) {
    Pair pair{.client = client->start(opportunistic(), "peer", {}),
              .server = server->start(),
              .client_heard = {},
              .server_heard = {}};
    pair.connect();
    REQUIRE(pair.client->state() == State::Established);
    return pair.client->summary().resumed;
  };
  CHECK_FALSE(connect(first));
  CHECK_FALSE(connect(second));
  CHECK(connect(second));
}

TEST_CASE("the keys of tickets are replaced within a day, and no ticket outlives its key") {
  const TestCertificate certificate = make_self_signed(leaf_spec("relay.example"));
  MonotonicTime time{};
  const auto made = TlsServerContext::create(certificate.pem, certificate.key_pem, {}, [&time] { return time; });
  REQUIRE(made);
  const WallTime now = day(0);
  const auto client = make_client(certificate.pem, &now);
  // A client of its own for each step: a resumed session brings a new ticket.
  const auto resumed_after = [&](Milliseconds age) {
    bool resumed = false;
    for (const Milliseconds step : {Milliseconds{0}, age}) {
      time += step;
      Pair pair{.client = client->start(opportunistic(), fmt::format("peer {}", age.count()), {}),
                .server = (*made)->start(),
                .client_heard = {},
                .server_heard = {}};
      pair.connect();
      REQUIRE(pair.client->state() == State::Established);
      resumed = pair.client->summary().resumed;
    }
    return resumed;
  };
  CHECK(resumed_after(Milliseconds{1}));
  CHECK(resumed_after(kTicketKeyLifetime / 2));
  CHECK_FALSE(resumed_after(kTicketKeyLifetime));
  CHECK_FALSE(resumed_after(kTicketKeyLifetime * 3));
  CHECK(resumed_after(Milliseconds{1}));
}

TEST_CASE("a ticket that was changed costs a full handshake and nothing else") {
  const auto server = make_server(make_self_signed(leaf_spec("relay.example")));
  const bssl::UniquePtr<SSL_CTX> client = make_raw_client(TLS1_2_VERSION, TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(client.get(), SSL_SESS_CACHE_CLIENT);
  const auto connect = [&](SSL_SESSION* with) {
    RawPeer peer(client.get(), false);
    if (with != nullptr) SSL_set_session(peer.ssl(), with);
    const auto session = server->start();
    InputBuffer heard;
    SSL_do_handshake(peer.ssl());
    peer.exchange(*session, heard);
    SSL_do_handshake(peer.ssl());
    REQUIRE(session->state() == State::Established);
    return std::pair(SSL_session_reused(peer.ssl()) == 1, bssl::UniquePtr<SSL_SESSION>(SSL_get1_session(peer.ssl())));
  };
  const auto first = connect(nullptr);
  REQUIRE(connect(first.second.get()).first);
  const auto with_ticket = [&](const std::vector<std::uint8_t>& ticket) {
    std::uint8_t* octets = nullptr;
    std::size_t size = 0;
    REQUIRE(SSL_SESSION_to_bytes(first.second.get(), &octets, &size) == 1);
    const bssl::UniquePtr<std::uint8_t> free_octets(octets);
    bssl::UniquePtr<SSL_SESSION> copy(SSL_SESSION_from_bytes(octets, size, client.get()));
    REQUIRE(SSL_SESSION_set_ticket(copy.get(), ticket.data(), ticket.size()) == 1);
    return copy;
  };
  const std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket(first.second.get(), &octets, &size);
  const std::vector<std::uint8_t> ticket(octets, octets + size);
  REQUIRE(ticket.size() > 44);
  CHECK(connect(with_ticket(ticket).get()).first);
  for (const std::size_t at : {std::size_t{0}, std::size_t{16}, std::size_t{28}, size - 1}) {
    std::vector<std::uint8_t> changed = ticket;
    changed[at] ^= 1;
    CHECK_FALSE(connect(with_ticket(changed).get()).first);
  }
  CHECK_FALSE(connect(with_ticket({ticket.begin(), ticket.begin() + 20}).get()).first);
}

TEST_CASE("a chain is sent whole, leaf first", "[tls]") {
  CertificateSpec authority{.common_name = "Test Authority",
                            .dns_names = {},
                            .not_before = day(-10),
                            .not_after = day(1'000),
                            .authority = true};
  const TestCertificate root = make_self_signed(authority);
  authority.common_name = "Test Intermediate";
  const TestCertificate intermediate = issue(authority, root);
  const TestCertificate leaf = issue(leaf_spec("relay.example"), intermediate);
  const WallTime now = day(0);
  const auto client = make_client(root.pem, &now);
  const auto connect = [&](const std::string& pem) {
    const auto server = TlsServerContext::create(pem, leaf.key_pem);
    REQUIRE(server);
    Pair pair{.client = client->start(pkix("relay.example"), "peer", {}),
              .server = (*server)->start(),
              .client_heard = {},
              .server_heard = {}};
    pair.exchange();
    return pair.client->state();
  };
  CHECK(connect(leaf.pem + intermediate.pem) == State::Established);
  CHECK(connect(leaf.pem) == State::Failed);
}

TEST_CASE("certificates and keys that cannot serve are refused with a reason", "[tls]") {
  const TestCertificate certificate = make_self_signed(leaf_spec("relay.example"));
  const TestCertificate other = make_self_signed(leaf_spec("relay.example"));
  const auto error = [](std::string_view pem, std::string_view key) {
    const auto result = TlsServerContext::create(pem, key);
    REQUIRE_FALSE(result);
    return result.error();
  };
  CHECK(error("", certificate.key_pem).detail == "there is no PEM block 'CERTIFICATE' in the certificate file");
  CHECK(error(certificate.pem, "").kind == ErrorKind::Malformed);
  CHECK(error(certificate.key_pem, certificate.key_pem).kind == ErrorKind::Malformed);
  CHECK(error(certificate.pem, other.key_pem).kind == ErrorKind::Conflict);
  std::string damaged = certificate.pem;
  damaged.replace(damaged.size() / 2, 10, "!!!!!!!!!!");
  CHECK(error(damaged, certificate.key_pem).kind == ErrorKind::Malformed);
  CHECK(error(certificate.pem + damaged, certificate.key_pem).detail ==
        "certificate 2 of the certificate file cannot be read");
  CertificateSpec weak = leaf_spec("relay.example");
  weak.key_kind = GENERATE(TestKeyKind::Rsa1024, TestKeyKind::Ed25519, TestKeyKind::P521);
  const TestCertificate unusual = make_self_signed(weak);
  CHECK(error(unusual.pem, unusual.key_pem).detail.find("most clients could not connect") != std::string::npos);
}
