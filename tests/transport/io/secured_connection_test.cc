#include "tests/support/test_certificates.h"
#include "tests/transport/io/loop_world.h"
#include "transport/tls/tls_client_context.h"
#include "transport/tls/tls_server_context.h"

using namespace waxwing;
using namespace waxwing::test;

namespace {

constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

CertificateSpec spec_for(const std::string& name) {
  return {.common_name = name,
          .dns_names = {name},
          .not_before = kNow - std::chrono::days(1),
          .not_after = kNow + std::chrono::days(90)};
}

/// A pair of connections with a certificate for mx.example at the server's side.
struct SecuredPair : Pair {
  TestCertificate certificate = make_self_signed(spec_for("mx.example"));
  std::unique_ptr<TlsClientContext> client_context;
  std::shared_ptr<const TlsServerContext> server_context;

  SecuredPair() {
    auto anchors = TrustAnchors::from_pem(make_self_signed(spec_for("authority.example")).pem);
    REQUIRE(anchors);
    auto made_client =
        TlsClientContext::create(std::make_shared<const TrustAnchors>(std::move(*anchors)), [] { return kNow; });
    auto made_server = TlsServerContext::create(certificate.pem, certificate.key_pem);
    REQUIRE(made_client);
    REQUIRE(made_server);
    client_context = std::move(*made_client);
    server_context = *made_server;
  }

  void start_client(TlsRequirement::Method method = TlsRequirement::Method::Opportunistic) {
    TlsRequirement requirement;
    requirement.method = method;
    requirement.reference_identifiers = {"mx.example"};
    requirement.server_name = "mx.example";
    client.connection->start_tls(client_context->start(requirement, "mx.example 127.0.0.1", ""));
  }
  void start_server() { server.connection->start_tls(server_context->start()); }

  void secure() {
    start_server();
    start_client();
    until([&] { return has(client, "secured") && has(server, "secured"); });
  }

  static bool has(const Party& party, const std::string& event) {
    return std::ranges::find(party.events, event) != party.events.end();
  }
};

}  // namespace

TEST_CASE("after start_tls both sides hear plain octets over TLS", "[connection][tls]") {
  SecuredPair pair;
  CHECK(pair.client.connection->tls() == nullptr);
  pair.secure();
  CHECK(pair.client.connection->tls()->summary().version == "TLSv1.3");
  const std::string large(3'000'000, 'm');
  pair.client.connection->write(large);
  pair.server.connection->write("250 ok\r\n");
  pair.until([&] { return pair.server.received.size() == large.size() && pair.client.received == "250 ok\r\n"; });
  CHECK(pair.server.received == large);
}

TEST_CASE("what is written during the handshake is sent inside TLS", "[connection][tls]") {
  SecuredPair pair;
  pair.start_server();
  pair.start_client();
  pair.client.connection->write("EHLO client.example\r\n");
  CHECK(pair.client.connection->pending_octets() == 21);
  pair.until([&] { return pair.server.received == "EHLO client.example\r\n"; });
  pair.until([&] { return SecuredPair::has(pair.client, "drained"); });
  CHECK(pair.client.events == std::vector<std::string>{"secured", "drained"});
  CHECK(pair.client.connection->pending_octets() == 0);
}

TEST_CASE("a peer that does not satisfy the requirement ends the connection with the reason", "[connection][tls]") {
  SecuredPair pair;
  pair.start_server();
  pair.start_client(TlsRequirement::Method::Pkix);
  CHECK_FALSE(pair.client.over);
  pair.until([&] { return pair.client.over && pair.server.over; });
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->detail == pair.client.connection->tls()->failure());
  CHECK_FALSE(pair.client.error->detail.empty());
  CHECK(pair.client.connection->tls()->peer_verdict());
  CHECK(pair.server.error);
  CHECK_FALSE(SecuredPair::has(pair.client, "secured"));
}

TEST_CASE("closing sends close_notify, and the other side hears of an orderly end", "[connection][tls]") {
  SecuredPair pair;
  pair.secure();
  pair.server.connection->write("221 bye\r\n");
  pair.server.connection->close(Milliseconds(1'000));
  pair.server.connection.reset();
  pair.until([&] { return pair.client.over; });
  CHECK(pair.client.received == "221 bye\r\n");
  CHECK_FALSE(pair.client.error);
  CHECK_FALSE(pair.client.connection->truncated());
}

TEST_CASE("a stream that is cut without close_notify is an error of its own", "[connection][tls]") {
  SecuredPair pair;
  pair.secure();
  pair.server.connection->write("250-first line\r\n");
  pair.until([&] { return !pair.client.received.empty(); });
  pair.server.connection.reset();
  pair.until([&] { return pair.client.over; });
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->detail.find("cut without close_notify") != std::string::npos);
  CHECK(pair.client.connection->truncated());
}

TEST_CASE("a peer that hangs up during the handshake is an error", "[connection][tls]") {
  SecuredPair pair;
  pair.start_client();
  pair.until([&] { return !pair.server.received.empty(); });
  pair.server.connection.reset();
  pair.until([&] { return pair.client.over; });
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->detail.find("hung up during the TLS handshake") != std::string::npos);
  CHECK_FALSE(pair.client.connection->truncated());
}

TEST_CASE("octets sent in clear before the handshake are never delivered after it began", "[connection][tls]") {
  SecuredPair pair;
  SECTION("to the client") {
    pair.server.connection->write("250 injected\r\n");
    pair.start_server();
    pair.start_client();
    pair.until([&] { return pair.client.over; });
    CHECK(pair.client.error);
    CHECK(pair.client.received.empty());
  }
  SECTION("to the server") {
    pair.client.connection->write("MAIL FROM:<injected@attacker.example>\r\n");
    pair.start_client();
    pair.start_server();
    pair.until([&] { return pair.server.over; });
    CHECK(pair.server.error);
    CHECK(pair.server.received.empty());
  }
}

TEST_CASE("a reply queued before start_tls goes out in clear, ahead of the handshake", "[connection][tls]") {
  SecuredPair pair;
  bool upgraded = false;
  Connection::Callbacks callbacks = pair.client.callbacks();
  callbacks.on_bytes = [&](std::string_view octets) {
    pair.client.received += octets;
    if (!std::exchange(upgraded, true)) pair.start_client();
  };
  pair.client.connection->set_callbacks(callbacks);
  pair.server.connection->write("220 go ahead\r\n");
  pair.start_server();
  pair.until([&] { return SecuredPair::has(pair.client, "secured") && SecuredPair::has(pair.server, "secured"); });
  CHECK(pair.client.received == "220 go ahead\r\n");
}

TEST_CASE("a handshake completes while reading is paused, and what follows waits", "[connection][tls]") {
  SecuredPair pair;
  pair.client.connection->pause_reading();
  pair.server.connection->pause_reading();
  pair.start_server();
  pair.start_client();
  pair.client.connection->write("early");
  pair.until([&] { return SecuredPair::has(pair.client, "secured") && SecuredPair::has(pair.server, "secured"); });
  pair.client.connection->close(Milliseconds(1'000));
  settle(pair.loop);
  CHECK(pair.server.received.empty());
  CHECK_FALSE(pair.server.over);
  pair.server.connection->resume_reading();
  CHECK(pair.server.received.empty());
  pair.until([&] { return pair.server.over; });
  CHECK(pair.server.received == "early");
  CHECK_FALSE(pair.server.error);
}

TEST_CASE("a connection may be destroyed when it is secured or inside TLS data", "[connection][tls]") {
  SecuredPair pair;
  bool called = false;
  const auto destroy = [&] {
    called = true;
    pair.client.connection.reset();
  };
  Connection::Callbacks callbacks;
  std::function<void()> provoke = [] {};
  SECTION("on_secured") {
    callbacks.on_secured = destroy;
  }
  SECTION("on_bytes") {
    callbacks.on_bytes = [&](std::string_view) { destroy(); };
    provoke = [&] { pair.server.connection->write("220 ready\r\n"); };
  }
  SECTION("on_closed") {
    callbacks.on_closed = [&](std::optional<Error>) { destroy(); };
    provoke = [&] { pair.server.connection->close(Milliseconds(100)); };
  }
  pair.client.connection->set_callbacks(callbacks);
  pair.start_server();
  pair.start_client();
  pair.until([&] { return SecuredPair::has(pair.server, "secured"); });
  provoke();
  pair.until([&] { return called; });
  settle(pair.loop, Milliseconds(5));
}

TEST_CASE("TLS may be started before the connection stands", "[connection][tls]") {
  SecuredPair pair;
  Party server;
  auto listener = Listener::open(pair.loop, {loopback_address(), 0}, [&](std::unique_ptr<Connection> accepted) {
    server.take(std::move(accepted));
    server.connection->start_tls(pair.server_context->start());
  });
  REQUIRE(listener);
  pair.client.take(Connection::connect(pair.loop, (*listener)->endpoint(), std::nullopt));
  pair.start_client();
  pair.client.connection->write("hello");
  pair.until([&] { return server.received == "hello"; });
  CHECK(pair.client.events[0] == "connected");
}
