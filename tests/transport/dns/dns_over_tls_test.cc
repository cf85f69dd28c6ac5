#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "policy/base64.h"
#include "tests/support/test_certificates.h"
#include "tests/transport/dns/received_query.h"
#include "transport/dns/getdns_resolver.h"
#include "transport/io/listener.h"
#include "transport/tls/tls_server_context.h"

using namespace waxwing;
using namespace waxwing::test;
using Status = Answer::Status;

namespace {

// A resolver on loopback that speaks DNS over TLS alone, on the loop of who asks.
class TlsNameServer {
 public:
  using Script = std::function<Octets(const ReceivedQuery&)>;

  TlsNameServer(EventLoop& loop, Script script) : loop_(loop), script_(std::move(script)) {
    const auto now = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
    certificate = make_self_signed(
        {"dns.example", {"dns.example"}, now - std::chrono::hours(1), now + std::chrono::hours(24), false});
    auto context = TlsServerContext::create(certificate.pem, certificate.key_pem);
    REQUIRE(context);
    tls_ = *context;
  }

  void open(std::uint16_t its_port = 0) {
    auto opened = Listener::open(loop_, {*IpAddress::parse("127.0.0.1"), its_port},
                                 [this](std::unique_ptr<Connection> taken) { accept(std::move(taken)); });
    REQUIRE(opened);
    listener_ = std::move(*opened);
    port = listener_->endpoint().port;
  }
  void close() {
    peers_.clear();
    listener_.reset();
  }

  [[nodiscard]] std::string pin() const { return encode_base64(sha256_octets(certificate.public_key)); }

  TestCertificate certificate;
  std::uint16_t port = 0;
  int queries = 0;
  int connections = 0;
  bool hangs_up = false;  ///< after each answer

 private:
  struct Peer {
    std::unique_ptr<Connection> connection;
    std::string received;
  };

  void accept(std::unique_ptr<Connection> taken) {
    ++connections;
    Peer& peer = peers_.emplace_back(Peer{std::move(taken), {}});
    Connection::Callbacks callbacks;
    callbacks.on_bytes = [this, &peer](std::string_view octets) { take(peer, octets); };
    callbacks.on_secured = [] {};
    callbacks.on_closed = [](const std::optional<Error>&) {};
    callbacks.on_drained = [] {};
    peer.connection->set_callbacks(std::move(callbacks));
    peer.connection->start_tls(tls_->start());
  }

  void take(Peer& peer, std::string_view octets) {
    peer.received += octets;
    while (peer.received.size() >= 2) {
      const auto* start = reinterpret_cast<const std::uint8_t*>(peer.received.data());
      const std::size_t length = start[0] * 256U + start[1];
      if (peer.received.size() < 2 + length) return;
      ++queries;
      const Octets reply = script_(read_query({start + 2, length}));
      peer.received.erase(0, 2 + length);
      Octets framed = u16(static_cast<unsigned>(reply.size()));
      append(framed, reply);
      peer.connection->write({reinterpret_cast<const char*>(framed.data()), framed.size()});
      if (hangs_up) return peer.connection->close(Milliseconds(100));
    }
  }

  EventLoop& loop_;
  Script script_;
  std::shared_ptr<const TlsServerContext> tls_;
  std::unique_ptr<Listener> listener_;
  std::list<Peer> peers_;
};

Octets secure_address(const ReceivedQuery& query) {
  ReplyBuilder reply = query.reply;
  return reply.secure().add(reply.question.name, RecordType::A, 300, {192, 0, 2, 1}).build();
}

GetdnsResolver::Options options_for(const TlsNameServer& server, const std::string& pin) {
  return {.server = *IpAddress::parse("127.0.0.1"),
          .port = server.port,
          .tls = DnsTlsIdentity{.name = {}, .pins = {pin}, .ca_file = {}},
          .attempt_timeouts = {Milliseconds(1'000), Milliseconds(1'000), Milliseconds(1'000)}};
}

Answer ask(EventLoop& loop, Resolver& resolver) {
  std::optional<Answer> result;
  resolver.resolve({"name.example", RecordType::A}, [&](const Answer& answer) {
    result = answer;
    loop.stop();
  });
  loop.run();
  return *result;
}

void pause(EventLoop& loop, Milliseconds time) {
  Timer timer(loop, [&loop] { loop.stop(); });
  timer.start(time);
  loop.run();
}

}  // namespace

TEST_CASE("a server with the pinned key is asked over one connection", "[dns_over_tls]") {
  EventLoop loop;
  TlsNameServer server(loop, secure_address);
  server.open();
  auto resolver = GetdnsResolver::create(loop, options_for(server, server.pin()));
  REQUIRE(resolver);
  for (int i = 0; i < 5; ++i) CHECK(ask(loop, **resolver).status == Status::Secure);
  CHECK(server.queries == 5);
  CHECK(server.connections == 1);
}

TEST_CASE("a server with another key is asked nothing", "[dns_over_tls]") {
  EventLoop loop;
  TlsNameServer server(loop, secure_address);
  server.open();
  auto resolver = GetdnsResolver::create(loop, options_for(server, encode_base64(sha256_octets("another key"))));
  REQUIRE(resolver);
  CHECK(ask(loop, **resolver).status == Status::Failed);
  CHECK(server.connections > 0);
  CHECK(server.queries == 0);
}

TEST_CASE("SERVFAIL that goes away with CD is Bogus over TLS too", "[dns_over_tls]") {
  EventLoop loop;
  TlsNameServer server(loop, [](const ReceivedQuery& query) {
    if (query.checking_disabled) return secure_address(query);
    ReplyBuilder reply = query.reply;
    reply.rcode = 2;
    return reply.build();
  });
  server.open();
  auto resolver = GetdnsResolver::create(loop, options_for(server, server.pin()));
  REQUIRE(resolver);
  CHECK(ask(loop, **resolver).status == Status::Bogus);
}

TEST_CASE("a server that ends its connections is asked over new ones", "[dns_over_tls]") {
  EventLoop loop;
  TlsNameServer server(loop, secure_address);
  server.hangs_up = true;
  server.open();
  auto resolver = GetdnsResolver::create(loop, options_for(server, server.pin()));
  REQUIRE(resolver);
  for (int i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(ask(loop, **resolver).status == Status::Secure);
    pause(loop, Milliseconds(20));
  }
}

TEST_CASE("a server that was away is asked again within seconds", "[dns_over_tls]") {
  EventLoop loop;
  TlsNameServer server(loop, secure_address);
  server.open();
  auto resolver = GetdnsResolver::create(loop, options_for(server, server.pin()));
  REQUIRE(resolver);
  CHECK(ask(loop, **resolver).status == Status::Secure);
  const std::uint16_t port = server.port;
  server.close();
  for (int i = 0; i < 6; ++i) CHECK(ask(loop, **resolver).status == Status::Failed);
  server.open(port);
  pause(loop, Milliseconds(2'500));
  CHECK(ask(loop, **resolver).status == Status::Secure);
}
