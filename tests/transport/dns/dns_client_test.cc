#include "transport/dns/dns_client.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "transport/io/event_loop.h"

namespace waxwing {
namespace {

// The reply to a query: its question, and a TXT record.
std::string reply_to(std::string_view query) {
  const auto message = read_dns_message(std::string(query));
  auto writer =
      *DnsWriter::begin(message->id, dns::kFlagResponse | dns::kFlagAuthoritative, message->name, message->type);
  (void)writer.add(DnsWriter::Section::Answer, message->name, dns::kTypeTxt, dns::kClassIn, 60, txt_rdata("here"));
  return writer.octets();
}

/// A name server in a thread of its own, on one port of loopback for UDP and TCP. Scripts say what is sent for a query:
/// datagrams, or octets of a stream that is closed behind them when `closes` is true.
class Server {
 public:
  std::function<std::vector<std::string>(std::string_view)> over_udp = [](std::string_view query) {
    return std::vector<std::string>{reply_to(query)};
  };
  std::atomic<int> connections = 0;
  std::atomic<bool> closes = false;  // after each message
  std::atomic<bool> mute = false;
  Endpoint endpoint{*IpAddress::parse("127.0.0.1"), 0};

  Server() {
    sockaddr_storage address = endpoint.to_socket_address();
    auto* native = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof(sockaddr_in);
    udp_ = ::socket(AF_INET, SOCK_DGRAM, 0);
    tcp_ = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::bind(tcp_, native, length) == 0);
    REQUIRE(::getsockname(tcp_, native, &length) == 0);
    REQUIRE(::bind(udp_, native, length) == 0);
    REQUIRE(::listen(tcp_, 8) == 0);
    REQUIRE(::pipe(stop_.data()) == 0);
    endpoint.port = Endpoint::from_socket_address(address)->port;
  }
  void start() {
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    REQUIRE(::write(stop_[1], "x", 1) == 1);
    if (thread_.joinable()) thread_.join();
    for (const int descriptor : {udp_, tcp_, stream_, stop_[0], stop_[1]})
      if (descriptor >= 0) ::close(descriptor);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  void serve() {
    while (true) {
      std::array<pollfd, 4> waiting = {
          pollfd{stop_[0], POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {stream_, POLLIN, 0}};
      ::poll(waiting.data(), stream_ < 0 ? 3 : 4, -1);
      if (waiting[0].revents != 0) return;
      if (waiting[1].revents != 0) answer_datagram();
      if (stream_ >= 0 && waiting[3].revents != 0) answer_stream();
      if (waiting[2].revents != 0 && stream_ < 0) {
        stream_ = ::accept(tcp_, nullptr, nullptr);
        ++connections;
      }
    }
  }
  void answer_datagram() {
    std::array<char, 2'048> buffer;
    sockaddr_in from{};
    socklen_t length = sizeof(from);
    const ssize_t count =
        ::recvfrom(udp_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (count <= 0 || mute) return;
    for (const std::string& each : over_udp(std::string_view(buffer.data(), static_cast<std::size_t>(count))))
      ::sendto(udp_, each.data(), each.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
  }
  void answer_stream() {
    std::array<char, 4'096> buffer;
    const ssize_t count = ::read(stream_, buffer.data(), buffer.size());
    if (count <= 0) return end_stream();
    received_.append(buffer.data(), static_cast<std::size_t>(count));
    while (received_.size() >= 2) {
      const std::size_t size =
          static_cast<unsigned char>(received_[0]) * 256U + static_cast<unsigned char>(received_[1]);
      if (received_.size() < size + 2) break;
      std::string framed;
      const std::string reply = reply_to(received_.substr(2, size));
      append_u16(framed, static_cast<std::uint16_t>(reply.size()));
      framed += reply;
      received_.erase(0, size + 2);
      if (!mute) REQUIRE(::write(stream_, framed.data(), framed.size()) == static_cast<ssize_t>(framed.size()));
      if (closes) return end_stream();
    }
  }
  void end_stream() {
    ::close(stream_);
    stream_ = -1;
    received_.clear();
  }

  int udp_ = -1;
  int tcp_ = -1;
  int stream_ = -1;
  std::string received_;
  std::array<int, 2> stop_{};
  std::thread thread_;
};

std::string name_of_question(int number) {
  return "s" + std::to_string(number) + ".example";
}

// Asks so many times at once, and gives the replies.
std::vector<Result<DnsMessage>> ask(const Endpoint& server, DnsCarrier carrier, int times = 1) {
  EventLoop loop;
  std::vector<Result<DnsMessage>> replies;
  DnsClient client(loop, {Milliseconds(1'500), Milliseconds(200)});
  loop.post([&] {
    for (int i = 0; i < times; ++i) {
      client.ask(server, carrier, *write_dns_query(7, name_of_question(i), dns::kTypeTxt, 0),
                 [&](Result<DnsMessage> reply) {
                   replies.push_back(std::move(reply));
                   if (static_cast<int>(replies.size()) == times) loop.stop();
                 });
    }
  });
  loop.run();
  return replies;
}

TEST_CASE("questions overlap on one socket and on one connection") {
  for (const DnsCarrier carrier : {DnsCarrier::Udp, DnsCarrier::Tcp}) {
    Server server;
    server.start();
    const auto replies = ask(server.endpoint, carrier, 50);
    for (const auto& reply : replies) {
      REQUIRE(reply);
      REQUIRE(reply->answers.size() == 1);
      CHECK(reply->answers.front().name == reply->name);
      CHECK(txt_of(*reply, reply->answers.front()) == "here");
    }
    CHECK(server.connections == (carrier == DnsCarrier::Tcp ? 1 : 0));
  }
}

TEST_CASE("a datagram that is lost is sent again, and what belongs to another question is passed over") {
  Server server;
  int asked = 0;
  server.over_udp = [&](std::string_view query) {
    if (++asked == 1) return std::vector<std::string>();
    std::string other_id = reply_to(query);
    other_id[0] = static_cast<char>(other_id[0] ^ 1);
    std::string other_name = reply_to(query);
    other_name[13] = 'z';
    return std::vector<std::string>{"", "nonsense", std::string(query), other_id, other_name, reply_to(query)};
  };
  server.start();
  const auto replies = ask(server.endpoint, DnsCarrier::Udp);
  REQUIRE(replies.front());
  CHECK(replies.front()->name == name_of_question(0));
}

TEST_CASE("a server that closes after each answer is asked over new connections") {
  Server server;
  server.closes = true;
  server.start();
  const auto replies = ask(server.endpoint, DnsCarrier::Tcp, 3);
  CHECK(std::ranges::all_of(replies, [](const auto& each) { return each.has_value(); }));
  CHECK(server.connections == 3);
}

TEST_CASE("silence and closed ports end in time, and say who did not answer") {
  Server server;
  server.mute = true;
  server.start();
  for (const DnsCarrier carrier : {DnsCarrier::Udp, DnsCarrier::Tcp}) {
    const auto replies = ask(server.endpoint, carrier);
    REQUIRE_FALSE(replies.front());
    CHECK(replies.front().error().kind == ErrorKind::Unavailable);
    CHECK_THAT(replies.front().error().detail, Catch::Contains(server.endpoint.str()));
  }
  Endpoint closed{*IpAddress::parse("127.0.0.1"), 1};
  CHECK_FALSE(ask(closed, DnsCarrier::Tcp).front());
  CHECK_FALSE(ask(closed, DnsCarrier::Udp).front());
}

TEST_CASE("what is no message is not sent") {
  EventLoop loop;
  std::optional<Error> error;
  DnsClient client(loop, {});
  loop.post([&] {
    client.send({*IpAddress::parse("127.0.0.1"), 1}, "nonsense", [&](Result<DnsMessage> reply) {
      if (!reply) error = reply.error();
      loop.stop();
    });
  });
  loop.run();
  REQUIRE(error);
  CHECK(error->kind == ErrorKind::Malformed);
}

}  // namespace
}  // namespace waxwing
