#include "transport/io/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <thread>

#include "tests/transport/io/loop_world.h"

using namespace waxwing;
using namespace waxwing::test;

namespace {

// A listening socket without SO_REUSEPORT, as another program would have it.
int foreign_listener(Endpoint& endpoint) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage address = Endpoint{loopback_address(), endpoint.port}.to_socket_address();
  REQUIRE(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(sockaddr_in)) == 0);
  REQUIRE(listen(descriptor, 8) == 0);
  socklen_t length = sizeof address;
  REQUIRE(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  endpoint = *Endpoint::from_socket_address(address);
  return descriptor;
}

double processor_seconds() {
  return static_cast<double>(clock()) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("an occupied endpoint is a conflict that names it and the remedy", "[listener]") {
  EventLoop loop;
  Endpoint endpoint{loopback_address(), 0};
  const int foreign = foreign_listener(endpoint);
  const auto opened = Listener::open(loop, endpoint, [](auto) {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::Conflict);
  CHECK(opened.error().detail == endpoint.str() + " is in use by another program; stop it or listen elsewhere");
  close(foreign);
}

TEST_CASE("an address that this machine does not have is unavailable", "[listener]") {
  EventLoop loop;
  const auto opened = Listener::open(loop, {*IpAddress::parse("192.0.2.1"), 0}, [](auto) {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::Unavailable);
  CHECK(opened.error().detail.find("192.0.2.1:0 is not an address of this machine") == 0);
}

TEST_CASE("two loops may listen on the same endpoint", "[listener]") {
  EventLoop first;
  EventLoop second;
  auto one = Listener::open(first, {loopback_address(), 0}, [](auto) {});
  REQUIRE(one);
  CHECK((*one)->endpoint().port != 0);
  const auto two = Listener::open(second, (*one)->endpoint(), [](auto) {});
  REQUIRE(two);
  CHECK((*two)->endpoint() == (*one)->endpoint());
}

TEST_CASE("an IPv6 listener takes no IPv4", "[listener]") {
  EventLoop loop;
  auto six = Listener::open(loop, {*IpAddress::parse("::"), 0}, [](auto) {});
  if (!six) {
    WARN("no IPv6 here: " << six.error().detail);
    return;
  }
  Endpoint four{loopback_address(), (*six)->endpoint().port};
  const int descriptor = foreign_listener(four);  // would be occupied
  close(descriptor);
}

TEST_CASE("a listening socket can be taken over", "[listener]") {
  EventLoop loop;
  Endpoint endpoint{loopback_address(), 0};
  Party server;
  auto adopted = Listener::adopt(loop, foreign_listener(endpoint), [&](auto c) { server.take(std::move(c)); });
  REQUIRE(adopted);
  CHECK((*adopted)->endpoint() == endpoint);
  Party client;
  client.take(Connection::connect(loop, endpoint, std::nullopt));
  client.connection->write("hello");
  run_until(loop, [&] { return server.received == "hello"; });
}

TEST_CASE("a descriptor that does not listen on TCP is refused and closed", "[listener]") {
  EventLoop loop;
  int descriptor = -1;
  SECTION("a file") {
    descriptor = open("/dev/null", O_RDONLY);
  }
  SECTION("a socket that is not listening") {
    descriptor = socket(AF_INET, SOCK_STREAM, 0);
  }
  SECTION("a datagram socket") {
    descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  }
  SECTION("a local socket") {
    descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  }
  REQUIRE(descriptor >= 0);
  const auto adopted = Listener::adopt(loop, descriptor, [](auto) {});
  REQUIRE_FALSE(adopted);
  CHECK(adopted.error().kind == ErrorKind::Malformed);
  CHECK(fcntl(descriptor, F_GETFD) == -1);
}

TEST_CASE("a listener may be destroyed while it hands over a connection", "[listener]") {
  EventLoop loop;
  std::unique_ptr<Listener> listener;
  Party server;
  auto opened = Listener::open(loop, {loopback_address(), 0}, [&](auto c) {
    listener.reset();
    server.take(std::move(c));
  });
  REQUIRE(opened);
  listener = std::move(*opened);
  Party client;
  client.take(Connection::connect(loop, listener->endpoint(), std::nullopt));
  client.connection->write("still works");
  run_until(loop, [&] { return server.received == "still works"; });
}

TEST_CASE("without descriptors a listener waits without spinning, and goes on when there are some", "[listener]") {
  EventLoop loop;
  std::vector<std::unique_ptr<Connection>> accepted;
  auto listener = Listener::open(loop, {loopback_address(), 0}, [&](auto c) { accepted.push_back(std::move(c)); });
  REQUIRE(listener);
  Party client;
  client.take(Connection::connect(loop, (*listener)->endpoint(), std::nullopt));
  Timer warm_up(loop, [] {});
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const double start = processor_seconds();
  settle(loop, Milliseconds(600));
  const double spent = processor_seconds() - start;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(accepted.empty());
  CHECK(spent < 0.3);
  run_until(loop, [&] { return accepted.size() == 1; });
  CHECK_FALSE(client.over);
}

TEST_CASE("a burst of connections is accepted completely", "[listener]") {
  EventLoop loop;
  std::vector<std::unique_ptr<Connection>> accepted;
  auto listener = Listener::open(loop, {loopback_address(), 0}, [&](auto c) { accepted.push_back(std::move(c)); });
  REQUIRE(listener);
  std::vector<std::unique_ptr<Connection>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(Connection::connect(loop, (*listener)->endpoint(), std::nullopt));
  run_until(loop, [&] { return accepted.size() == 200; });
}

TEST_CASE("loops in threads of their own share an endpoint, and every client is served", "[listener][threads]") {
  constexpr std::size_t kThreads = 4;
  constexpr int kClients = 40;
  EventLoop clients_loop;
  std::vector<std::unique_ptr<EventLoop>> loops;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::vector<std::unique_ptr<Connection>>> served(kThreads);
  Endpoint endpoint{loopback_address(), 0};
  for (std::size_t i = 0; i < kThreads; ++i) {
    loops.push_back(std::make_unique<EventLoop>());
    auto opened = Listener::open(*loops[i], endpoint, [&connections = served[i]](std::unique_ptr<Connection> accepted) {
      Connection* connection = accepted.get();
      connections.push_back(std::move(accepted));
      connection->set_callbacks({.on_connected = {},
                                 .on_bytes = [connection](std::string_view octets) { connection->write(octets); },
                                 .on_secured = {},
                                 .on_closed = {},
                                 .on_drained = {}});
    });
    REQUIRE(opened);
    endpoint = (*opened)->endpoint();
    listeners.push_back(std::move(*opened));
  }
  std::vector<std::thread> threads;
  for (const auto& loop : loops) threads.emplace_back([&loop = *loop] { loop.run(); });
  std::vector<std::unique_ptr<Party>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Party>());
    clients.back()->take(Connection::connect(clients_loop, endpoint, std::nullopt));
    clients.back()->connection->write("echo");
  }
  run_until(clients_loop, [&] { return std::ranges::all_of(clients, [](auto& c) { return c->received == "echo"; }); });
  for (std::size_t i = 0; i < kThreads; ++i) {
    loops[i]->post([&, i] {  // on the loop's thread, as everything that is attached to it
      served[i].clear();
      listeners[i].reset();
    });
    loops[i]->stop();
    threads[i].join();
  }
}
