#include "transport/tls/tls_session.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/transport/tls/memory_peers.h"

using namespace waxwing;
using namespace waxwing::test;
using State = TlsSession::State;

namespace {

/// A self-signed server and a client that asks for no certificate in particular.
struct World {
  TestCertificate certificate = make_self_signed(leaf_spec("mx.example"));
  WallTime now = day(0);
  std::unique_ptr<TlsClientContext> client = make_client(certificate.pem, &now);
  std::shared_ptr<const TlsServerContext> server = make_server(certificate);

  Pair pair(const TlsRequirement& requirement = opportunistic()) {
    return {.client = client->start(requirement, "mx.example 192.0.2.1:25", {}),
            .server = server->start(),
            .client_heard = {},
            .server_heard = {}};
  }
};

}  // namespace

TEST_CASE("a handshake completes and octets pass both ways, however the network cuts them", "[tls]") {
  World world;
  const std::size_t piece = GENERATE(1U, 7U, 100'000U);
  Pair pair = world.pair();
  pair.exchange(piece);
  REQUIRE(pair.client->state() == State::Established);
  REQUIRE(pair.server->state() == State::Established);
  pair.client->write("EHLO client.example\r\n");
  pair.server->write("250 mx.example\r\n");
  pair.exchange(piece);
  CHECK(pair.server_heard.view() == "EHLO client.example\r\n");
  CHECK(pair.client_heard.view() == "250 mx.example\r\n");
}

TEST_CASE("between our own ends TLS 1.3 with an AEAD suite is spoken", "[tls]") {
  World world;
  Pair pair = world.pair();
  pair.exchange();
  CHECK(pair.client->summary().version == "TLSv1.3");
  CHECK(pair.server->summary().version == "TLSv1.3");
  CHECK(pair.client->summary().cipher == pair.server->summary().cipher);
  CHECK(pair.client->summary().cipher.starts_with("TLS_"));
  CHECK_FALSE(pair.client->summary().resumed);
}

TEST_CASE("a megabyte passes, in records of at most 16 KiB", "[tls]") {
  World world;
  Pair pair = world.pair();
  pair.exchange();
  std::string body(1'048'576, 'x');
  for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  pair.client->write(body);
  const std::string ciphertext = pair.client->take_output();
  for (std::size_t at = 0; at < ciphertext.size();) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(ciphertext.at(at + i)); };
    const std::size_t length = octet(3) * 256U + octet(4);
    CHECK(length <= 16'384 + 256);
    at += 5 + length;
  }
  static_cast<void>(pair.server->feed(ciphertext, pair.server_heard));
  CHECK(pair.server_heard.view() == body);
}

TEST_CASE("writing nothing sends nothing", "[tls]") {
  World world;
  Pair pair = world.pair();
  pair.exchange();
  pair.client->write({});
  CHECK(pair.client->take_output().empty());
}

TEST_CASE("close_notify ends the peer's session in order, and the rest can still be written", "[tls]") {
  World world;
  Pair pair = world.pair();
  pair.exchange();
  pair.client->write("QUIT\r\n");
  pair.client->close();
  pair.client->close();
  pair.exchange();
  CHECK(pair.server->state() == State::PeerClosed);
  CHECK(pair.server_heard.view() == "QUIT\r\n");
  CHECK(pair.client->state() == State::Established);
  pair.server->write("221 bye\r\n");
  pair.server->close();
  pair.exchange();
  CHECK(pair.client_heard.view() == "221 bye\r\n");
  CHECK(pair.client->state() == State::PeerClosed);
  CHECK(pair.client->failure().empty());
}

TEST_CASE("nothing is sent after close", "[tls]") {
  World world;
  Pair pair = world.pair();
  pair.exchange();
  pair.client->close();
  static_cast<void>(pair.client->take_output());
  pair.client->write("more");
  CHECK(pair.client->take_output().empty());
  CHECK(pair.client->state() == State::Established);
}

TEST_CASE("octets after close_notify are dropped", "[tls]") {
  World world;
  Pair pair = world.pair();
  pair.exchange();
  pair.client->close();
  const std::string last = pair.client->take_output();
  CHECK(pair.server->feed(last + "MAIL FROM:<a@a.example>\r\n", pair.server_heard) == State::PeerClosed);
  CHECK(pair.server->feed("RCPT TO:<b@b.example>\r\n", pair.server_heard) == State::PeerClosed);
  CHECK(pair.server_heard.empty());
}

TEST_CASE("an altered record fails the session, and nothing of it is delivered", "[tls]") {
  World world;
  Pair pair = world.pair();
  pair.exchange();
  pair.client->write("MAIL FROM:<a@a.example>\r\n");
  std::string record = pair.client->take_output();
  record.back() = static_cast<char>(record.back() ^ 1);
  CHECK(pair.server->feed(record, pair.server_heard) == State::Failed);
  CHECK(pair.server_heard.empty());
  CHECK_FALSE(pair.server->failure().empty());
  pair.exchange();
  CHECK(pair.client->state() == State::Failed);
  CHECK(pair.client->failure() == "the peer ended TLS with the alert bad_record_mac");
}

TEST_CASE("octets that are not TLS fail the handshake with a sentence", "[tls]") {
  World world;
  InputBuffer heard;
  const auto server = world.server->start();
  CHECK(server->feed("EHLO client.example\r\nMAIL FROM:<>\r\n", heard) == State::Failed);
  CHECK(server->failure() == "what the peer sent is not TLS");
  const auto web = world.server->start();
  CHECK(web->feed("GET / HTTP/1.1\r\nHost: mx.example\r\n\r\n", heard) == State::Failed);
  CHECK(web->failure() == "what the peer sent is not TLS");
  const auto client = world.client->start(opportunistic(), "peer", {});
  static_cast<void>(client->feed({}, heard));
  CHECK(client->feed("500 5.5.1 unknown command, and some more octets\r\n", heard) == State::Failed);
  CHECK(client->failure() == "what the peer sent is not TLS");
  CHECK(heard.empty());
}

TEST_CASE("random octets after a handshake record header never pass", "[tls]") {
  World world;
  std::uint32_t state = 12'345;
  for (int round = 0; round < 200; ++round) {
    std::string octets("\x16\x03\x01\x00\x80", 5);
    for (int i = 0; i < 128; ++i) {
      state = state * 1'664'525 + 1'013'904'223;
      octets += static_cast<char>(state >> 24);
    }
    InputBuffer heard;
    CHECK(world.server->start()->feed(octets, heard) != State::Established);
    const auto client = world.client->start(opportunistic(), "peer", {});
    static_cast<void>(client->feed({}, heard));
    CHECK(client->feed(octets, heard) != State::Established);
    CHECK(heard.empty());
  }
}

TEST_CASE("a peer that goes away before the handshake is over leaves it unfinished", "[tls]") {
  World world;
  Pair pair = world.pair();
  static_cast<void>(pair.client->feed({}, pair.client_heard));
  const std::string hello = pair.client->take_output();
  CHECK(pair.server->feed(std::string_view(hello).substr(0, hello.size() / 2), pair.server_heard) ==
        State::Handshaking);
  pair.server->close();
  CHECK(pair.server->take_output().empty());
}

TEST_CASE("a session may outlive the contexts, also when the peer must be verified", "[tls]") {
  auto world = std::make_unique<World>();
  const WallTime now = day(0);
  world->client = make_client(world->certificate.pem, &now);
  Pair pair = world->pair(dane_ee(world->certificate));
  world.reset();
  pair.connect();
  CHECK(pair.client->state() == State::Established);
  CHECK(pair.client_heard.view() == "220 ready");
}
