#include "transport/dns/getdns_resolver.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <thread>

#include "tests/transport/dns/received_query.h"
#include "transport/io/endpoint.h"

using namespace waxwing;
using namespace waxwing::test;
using Status = Answer::Status;

namespace {

enum class Carrier { Udp, Tcp };

struct Query : ReceivedQuery {
  Carrier carrier;
};

// A name server in a thread of its own, on one loopback port for UDP and TCP; the script makes the reply, or none.
class FakeServer {
 public:
  using Script = std::function<std::optional<Octets>(const Query&)>;

  explicit FakeServer(Script script) : script_(std::move(script)) {
    sockaddr_storage address = Endpoint{*IpAddress::parse("127.0.0.1"), 0}.to_socket_address();
    auto* native = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof(sockaddr_in);
    udp_ = socket(AF_INET, SOCK_DGRAM, 0);
    tcp_ = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(bind(tcp_, native, length) == 0);
    REQUIRE(getsockname(tcp_, native, &length) == 0);
    REQUIRE(bind(udp_, native, length) == 0);
    REQUIRE(listen(tcp_, 8) == 0);
    REQUIRE(pipe(stop_.data()) == 0);
    port = Endpoint::from_socket_address(address)->port;
    thread_ = std::thread([this] { serve(); });
  }

  ~FakeServer() {
    REQUIRE(write(stop_[1], "x", 1) == 1);
    thread_.join();
    for (const int descriptor : {udp_, tcp_, stop_[0], stop_[1]}) close(descriptor);
  }

  std::uint16_t port = 0;

 private:
  void serve() {
    while (true) {
      std::array<pollfd, 3> waiting = {pollfd{udp_, POLLIN, 0}, pollfd{tcp_, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
      poll(waiting.data(), waiting.size(), -1);
      if (waiting[2].revents != 0) return;
      if (waiting[0].revents != 0) serve_udp();
      if (waiting[1].revents != 0) serve_tcp();
    }
  }

  void serve_udp() {
    std::array<std::uint8_t, 4096> buffer;
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const ssize_t count = recvfrom(udp_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer), &length);
    if (count <= 0) return;
    const auto reply = script_(parse(Carrier::Udp, {buffer.data(), static_cast<std::size_t>(count)}));
    if (reply) sendto(udp_, reply->data(), reply->size(), 0, reinterpret_cast<sockaddr*>(&peer), length);
  }

  void serve_tcp() {
    const int connection = accept(tcp_, nullptr, nullptr);
    std::array<std::uint8_t, 4096> buffer;
    const ssize_t count = recv(connection, buffer.data(), buffer.size(), 0);
    if (count > 2) {
      if (const auto reply = script_(parse(Carrier::Tcp, {buffer.data() + 2, static_cast<std::size_t>(count) - 2}))) {
        Octets framed = u16(static_cast<unsigned>(reply->size()));
        append(framed, *reply);
        send(connection, framed.data(), framed.size(), MSG_NOSIGNAL);
      }
    }
    close(connection);
  }

  static Query parse(Carrier carrier, std::span<const std::uint8_t> octets) { return {read_query(octets), carrier}; }

  Script script_;
  int udp_ = -1;
  int tcp_ = -1;
  std::array<int, 2> stop_{};
  std::thread thread_;
};

Octets address_reply(const Query& query, bool secure) {
  ReplyBuilder reply = query.reply;
  if (secure) reply.secure();
  return reply.add(reply.question.name, RecordType::A, 300, {192, 0, 2, 1}).build();
}

Octets rcode_reply(const Query& query, unsigned rcode) {
  ReplyBuilder reply = query.reply;
  reply.rcode = rcode;
  return reply.build();
}

GetdnsResolver::Options options_for(std::uint16_t port) {
  return {.server = *IpAddress::parse("127.0.0.1"),
          .port = port,
          .attempt_timeouts = {Milliseconds(300), Milliseconds(300), Milliseconds(300)}};
}

Answer ask(const GetdnsResolver::Options& options, const Question& question = {"name.example", RecordType::A}) {
  EventLoop loop;
  auto resolver = GetdnsResolver::create(loop, options);
  REQUIRE(resolver);
  std::optional<Answer> result;
  (*resolver)->resolve(question, [&](const Answer& answer) {
    REQUIRE_FALSE(result);
    result = answer;
    loop.stop();
  });
  CHECK_FALSE(result);
  loop.run();
  REQUIRE(result);
  return *result;
}

}  // namespace

TEST_CASE("a validated answer is Secure, and the query carries DO but not CD", "[getdns_resolver]") {
  FakeServer server([](const Query& query) -> std::optional<Octets> {
    if (!query.dnssec_ok || query.checking_disabled || query.carrier != Carrier::Udp) return rcode_reply(query, 1);
    return address_reply(query, true);
  });
  const Answer answer = ask(options_for(server.port));
  CHECK(answer.status == Status::Secure);
  CHECK(answer.records == std::vector<RecordData>{*IpAddress::parse("192.0.2.1")});
}

TEST_CASE("names with unusual octets reach the server as they are", "[getdns_resolver]") {
  FakeServer server([](const Query& query) -> std::optional<Octets> {
    if (query.reply.question.name != "a b.example") return rcode_reply(query, 1);
    return address_reply(query, false);
  });
  CHECK(ask(options_for(server.port), {"a\\032b.example", RecordType::A}).status == Status::Insecure);
}

TEST_CASE("SERVFAIL that goes away with CD is Bogus", "[getdns_resolver]") {
  FakeServer server([](const Query& query) -> std::optional<Octets> {
    return query.checking_disabled ? address_reply(query, false) : rcode_reply(query, 2);
  });
  const Answer answer = ask(options_for(server.port));
  CHECK(answer.status == Status::Bogus);
  CHECK(answer.detail == "DNSSEC validation failed at 127.0.0.1");
  CHECK(answer.records.empty());
}

TEST_CASE("SERVFAIL that stays with CD is Failed", "[getdns_resolver]") {
  FakeServer server([](const Query& query) { return rcode_reply(query, 2); });
  const Answer answer = ask(options_for(server.port));
  CHECK(answer.status == Status::Failed);
  CHECK(answer.detail == "SERVFAIL from 127.0.0.1");
}

TEST_CASE("SERVFAIL and then silence with CD is Failed", "[getdns_resolver]") {
  FakeServer server([](const Query& query) -> std::optional<Octets> {
    if (query.checking_disabled) return std::nullopt;
    return rcode_reply(query, 2);
  });
  CHECK(ask(options_for(server.port)).detail == "SERVFAIL from 127.0.0.1");
}

TEST_CASE("REFUSED is Failed without another try", "[getdns_resolver]") {
  int queries = 0;
  {
    FakeServer server([&](const Query& query) {
      ++queries;
      return rcode_reply(query, 5);
    });
    CHECK(ask(options_for(server.port)).detail == "REFUSED from 127.0.0.1");
  }
  CHECK(queries == 1);
}

TEST_CASE("a lost query is asked again", "[getdns_resolver]") {
  int queries = 0;
  FakeServer server([&](const Query& query) -> std::optional<Octets> {
    if (++queries == 1) return std::nullopt;
    return address_reply(query, true);
  });
  CHECK(ask(options_for(server.port)).status == Status::Secure);
}

TEST_CASE("the last attempt goes over TCP", "[getdns_resolver]") {
  FakeServer server([&](const Query& query) -> std::optional<Octets> {
    if (query.carrier == Carrier::Udp) return std::nullopt;
    return address_reply(query, true);
  });
  CHECK(ask(options_for(server.port)).status == Status::Secure);
}

TEST_CASE("a truncated reply is fetched over TCP", "[getdns_resolver]") {
  FakeServer server([&](const Query& query) -> std::optional<Octets> {
    if (query.carrier == Carrier::Tcp) return address_reply(query, true);
    ReplyBuilder reply = query.reply;
    reply.flags |= 0x0200;
    return reply.build();
  });
  CHECK(ask(options_for(server.port)).status == Status::Secure);
}

TEST_CASE("a server that never answers is Failed", "[getdns_resolver]") {
  FakeServer server([](const Query&) { return std::nullopt; });
  const Answer answer = ask(options_for(server.port));
  CHECK(answer.status == Status::Failed);
  CHECK(answer.detail == "no answer from 127.0.0.1");
}

TEST_CASE("garbage is Failed", "[getdns_resolver]") {
  FakeServer server([](const Query& query) -> std::optional<Octets> {
    Octets reply = address_reply(query, true);
    reply.push_back(0);
    return reply;
  });
  CHECK(ask(options_for(server.port)).status == Status::Failed);
}

TEST_CASE("a name that cannot be asked is Failed, and not inside resolve", "[getdns_resolver]") {
  FakeServer server([](const Query& query) { return address_reply(query, true); });
  CHECK(ask(options_for(server.port), {std::string(64, 'x') + ".example", RecordType::A}).status == Status::Failed);
  CHECK(ask(options_for(server.port), {"a..example", RecordType::A}).status == Status::Failed);
}

TEST_CASE("a resolver may be destroyed inside a callback and with lookups outstanding", "[getdns_resolver]") {
  FakeServer server([](const Query& query) -> std::optional<Octets> {
    if (query.reply.question.name == "silent.example") return std::nullopt;
    return address_reply(query, true);
  });
  EventLoop loop;
  auto created = GetdnsResolver::create(loop, options_for(server.port));
  REQUIRE(created);
  std::unique_ptr<GetdnsResolver> resolver = std::move(*created);
  int calls = 0;
  const auto destroy = [&](const Answer&) {
    ++calls;
    resolver.reset();
    loop.stop();
  };
  for (int i = 0; i < 20; ++i) resolver->resolve({"silent.example", RecordType::A}, destroy);
  resolver->resolve({"name.example", RecordType::A}, destroy);
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("many lookups at once are all answered", "[getdns_resolver]") {
  FakeServer server([](const Query& query) { return address_reply(query, true); });
  EventLoop loop;
  auto options = options_for(server.port);
  options.attempt_timeouts.fill(Milliseconds(5'000));
  options.max_outstanding = 10;
  auto resolver = GetdnsResolver::create(loop, options);
  REQUIRE(resolver);
  constexpr int kLookups = 500;
  int answered = 0;
  for (int i = 0; i < kLookups; ++i) {
    (*resolver)->resolve({"n" + std::to_string(i) + ".example", RecordType::A}, [&](const Answer& answer) {
      CHECK(answer.status == Status::Secure);
      if (++answered == kLookups) loop.stop();
    });
  }
  loop.run();
  CHECK(answered == kLookups);
}

TEST_CASE("resolvers in several threads do not disturb each other", "[getdns_resolver][threads]") {
  FakeServer server([](const Query& query) { return address_reply(query, true); });
  auto options = options_for(server.port);
  options.attempt_timeouts.fill(Milliseconds(5'000));
  std::array<int, 4> answered{};
  std::vector<std::thread> threads;
  for (int& count : answered) {
    threads.emplace_back([&count, &options] {
      EventLoop loop;
      auto resolver = GetdnsResolver::create(loop, options);
      if (!resolver) return;
      for (int i = 0; i < 50; ++i) {
        (*resolver)->resolve({"n" + std::to_string(i) + ".example", RecordType::A}, [&](const Answer& answer) {
          if (answer.status == Status::Secure && ++count == 50) loop.stop();
        });
      }
      loop.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == std::array<int, 4>{50, 50, 50, 50});
}
