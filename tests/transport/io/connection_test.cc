#include "transport/io/connection.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/transport/io/loop_world.h"

using namespace waxwing;
using namespace waxwing::test;

TEST_CASE("octets reach the other side in both directions, and both know both addresses", "[connection]") {
  Pair pair;
  pair.client.connection->write("HELO\r\n");
  pair.server.connection->write("220 ready\r\n");
  pair.until([&] { return pair.server.received == "HELO\r\n" && pair.client.received == "220 ready\r\n"; });
  CHECK(pair.client.connection->peer() == pair.server.connection->local());
  CHECK(pair.client.connection->local() == pair.server.connection->peer());
  CHECK(pair.client.connection->peer() == pair.listener->endpoint());
}

TEST_CASE("what is written before the connection stands is sent when it does", "[connection]") {
  Pair pair;
  Party early;
  auto accepted = std::exchange(pair.server.connection, nullptr);
  early.take(Connection::connect(pair.loop, pair.listener->endpoint(), std::nullopt));
  early.connection->write("early");
  CHECK(early.connection->pending_octets() == 5);
  pair.until([&] { return pair.server.received == "early"; });
  CHECK(early.events == std::vector<std::string>{"connected", "drained"});
}

TEST_CASE("a refused connection is reported later, with a sentence that names the peer", "[connection]") {
  EventLoop loop;
  Endpoint nobody;
  {
    auto listener = Listener::open(loop, {loopback_address(), 0}, [](auto) {});
    REQUIRE(listener);
    nobody = (*listener)->endpoint();
  }
  settle(loop, Milliseconds(1));
  Party client;
  client.take(Connection::connect(loop, nobody, std::nullopt));
  CHECK_FALSE(client.over);
  run_until(loop, [&] { return client.over; });
  REQUIRE(client.error);
  CHECK(client.error->kind == ErrorKind::Unavailable);
  CHECK(client.error->detail == nobody.str() + " refused the connection");
  CHECK(client.events == std::vector<std::string>{"closed"});
}

TEST_CASE("a source address that is not ours is reported later, never inside connect", "[connection]") {
  EventLoop loop;
  Party client;
  client.take(Connection::connect(loop, {loopback_address(), 25}, *IpAddress::parse("192.0.2.1")));
  CHECK_FALSE(client.over);
  run_until(loop, [&] { return client.over; });
  REQUIRE(client.error);
  CHECK(client.error->detail.find("from 192.0.2.1: this machine does not have that address") != std::string::npos);
}

TEST_CASE("a source address of the other family is an error of the connection", "[connection]") {
  EventLoop loop;
  Party client;
  client.take(Connection::connect(loop, {loopback_address(), 25}, *IpAddress::parse("::1")));
  run_until(loop, [&] { return client.over; });
  CHECK(client.error);
}

TEST_CASE("a connection can be made from a chosen source address", "[connection]") {
  Pair pair;
  Party client;
  pair.server.connection.reset();
  client.take(Connection::connect(pair.loop, pair.listener->endpoint(), *IpAddress::parse("127.0.0.2")));
  pair.until([&] { return pair.server.connection != nullptr && !client.events.empty(); });
  CHECK(pair.server.connection->peer().address.str() == "127.0.0.2");
  CHECK(client.connection->local() == pair.server.connection->peer());
}

TEST_CASE("the end of a stream is reported once, without error, after its last octets", "[connection]") {
  Pair pair;
  pair.client.connection->write("QUIT\r\n");
  pair.client.connection->close(Milliseconds(1'000));
  pair.client.connection.reset();
  pair.until([&] { return pair.server.over; });
  CHECK(pair.server.received == "QUIT\r\n");
  CHECK_FALSE(pair.server.error);
  CHECK_FALSE(pair.server.connection->truncated());
  settle(pair.loop);
  CHECK(pair.server.events == std::vector<std::string>{"closed"});
}

TEST_CASE("a peer that ended only its own direction still gets the reply", "[connection]") {
  EventLoop loop;
  Party server;
  auto listener =
      Listener::open(loop, {loopback_address(), 0}, [&](std::unique_ptr<Connection> c) { server.take(std::move(c)); });
  REQUIRE(listener);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_storage address = (*listener)->endpoint().to_socket_address();
  REQUIRE(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(sockaddr_in)) == 0);
  REQUIRE(::write(client, "QUIT\r\n", 6) == 6);
  REQUIRE(shutdown(client, SHUT_WR) == 0);
  run_until(loop, [&] { return server.over; });
  CHECK_FALSE(server.error);
  CHECK(server.received == "QUIT\r\n");
  server.connection->write("221 bye\r\n");
  server.connection->close(Milliseconds(1'000));
  settle(loop, Milliseconds(20));
  char reply[64];
  CHECK(std::string(reply, static_cast<std::size_t>(read(client, reply, sizeof reply))) == "221 bye\r\n");
  CHECK(read(client, reply, sizeof reply) == 0);
  close(client);
}

TEST_CASE("close delivers a large queue to a slow reader before FIN", "[connection]") {
  Pair pair;
  const std::string large(8'000'000, 'x');
  pair.client.connection->pause_reading();
  pair.server.connection->write(large);
  pair.server.connection->close(Milliseconds(9'000));
  pair.server.connection.reset();
  settle(pair.loop, Milliseconds(20));
  CHECK(pair.client.received.size() < large.size());
  CHECK_FALSE(pair.client.over);
  pair.client.connection->resume_reading();
  pair.until([&] { return pair.client.over; });
  CHECK(pair.client.received == large);
  CHECK_FALSE(pair.client.error);
}

TEST_CASE("who awaits the end of a stream hears it, unless the peer says something before", "[connection]") {
  const bool speaks = GENERATE(true, false);
  Pair pair;
  pair.server.connection->await_end();
  if (speaks) pair.client.connection->write("early");
  settle(pair.loop, Milliseconds(20));
  pair.client.connection->close(Milliseconds(1'000));
  if (!speaks) return pair.until([&] { return pair.server.over; });
  settle(pair.loop, Milliseconds(50));
  CHECK(pair.server.received.empty());
  CHECK_FALSE(pair.server.over);
  pair.server.connection->resume_reading();
  pair.until([&] { return pair.server.over; });
  CHECK(pair.server.received == "early");
}

TEST_CASE("close gives up at the end of its linger time when the peer does not read", "[connection]") {
  Pair pair;
  pair.client.connection->pause_reading();
  pair.server.connection->write(std::string(8'000'000, 'x'));
  pair.server.connection->close(Milliseconds(30));
  settle(pair.loop, Milliseconds(100));
  pair.client.connection->resume_reading();
  pair.until([&] { return pair.client.over; });
  CHECK(pair.client.received.size() < 8'000'000);
}

TEST_CASE("a reply survives although the peer sent more that nobody read", "[connection]") {
  Pair pair;
  pair.client.connection->write(std::string(200'000, 'y'));
  pair.server.connection->write("554 go away\r\n");
  pair.server.connection->close(Milliseconds(2'000));
  pair.until([&] { return pair.client.over; });
  CHECK(pair.client.received == "554 go away\r\n");
}

TEST_CASE("a peer that resets is an error", "[connection]") {
  Pair pair;
  pair.server.connection->pause_reading();
  pair.client.connection->write("unread");
  settle(pair.loop);
  pair.server.connection.reset();  // closes with unread data in the kernel: RST
  pair.until([&] { return pair.client.over; });
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->detail.find("reset the connection") != std::string::npos);
}

TEST_CASE("writing to a peer that is gone ends in an error, not in a signal", "[connection]") {
  Pair pair;
  pair.server.connection.reset();
  for (int i = 0; i < 100 && !pair.client.over; ++i) {
    pair.client.connection->write(std::string(100'000, 'z'));
    settle(pair.loop, Milliseconds(1));
  }
  CHECK(pair.client.over);
}

TEST_CASE("what a peer said before it reset is read although writing fails first", "[connection]") {
  Pair pair;
  pair.server.connection->pause_reading();
  pair.client.connection->pause_reading();
  pair.client.connection->write("unread");
  settle(pair.loop, Milliseconds(10));
  pair.server.connection->write("421 too busy\r\n");
  pair.server.connection->close(Milliseconds(0));
  settle(pair.loop, Milliseconds(10));
  pair.client.connection->resume_reading();
  pair.client.connection->write("more");
  pair.client.connection->write("more");
  pair.until([&] { return pair.client.over; });
  CHECK(pair.client.received == "421 too busy\r\n");
  CHECK(pair.client.error);
}

TEST_CASE("pausing stops on_bytes and resuming continues without loss", "[connection]") {
  Pair pair;
  pair.server.connection->pause_reading();
  pair.client.connection->write("one");
  settle(pair.loop);
  CHECK(pair.server.received.empty());
  pair.server.connection->resume_reading();
  CHECK(pair.server.received.empty());
  pair.until([&] { return pair.server.received == "one"; });
}

TEST_CASE("pending octets grow while the peer does not read and on_drained tells when they are gone", "[connection]") {
  Pair pair;
  pair.server.connection->pause_reading();
  const std::string chunk(1'000'000, 'c');
  for (int i = 0; i < 10; ++i) pair.client.connection->write(chunk);
  CHECK(pair.client.connection->pending_octets() > 1'000'000);
  settle(pair.loop);
  CHECK(pair.client.events.empty());
  pair.server.connection->resume_reading();
  pair.until([&] { return pair.server.received.size() == 10'000'000; });
  CHECK(pair.client.connection->pending_octets() == 0);
  CHECK(pair.client.events == std::vector<std::string>{"drained"});
}

TEST_CASE("on_drained follows a write that the kernel took at once, but not inside write", "[connection]") {
  Pair pair;
  pair.client.connection->write("a");
  pair.client.connection->write("b");
  CHECK(pair.client.connection->pending_octets() == 0);
  CHECK(pair.client.events.empty());
  settle(pair.loop);
  CHECK(pair.client.events == std::vector<std::string>{"drained"});
}

TEST_CASE("octets that arrive before anybody listens are not lost", "[connection]") {
  EventLoop loop;
  std::unique_ptr<Connection> waiting;
  auto listener =
      Listener::open(loop, {loopback_address(), 0}, [&](std::unique_ptr<Connection> c) { waiting = std::move(c); });
  REQUIRE(listener);
  Party client;
  client.take(Connection::connect(loop, (*listener)->endpoint(), std::nullopt));
  client.connection->write("first");
  settle(loop);
  client.connection->close(Milliseconds(1'000));
  settle(loop);
  REQUIRE(waiting);
  Party server;
  server.take(std::move(waiting));
  run_until(loop, [&] { return server.over; });
  CHECK(server.received == "first");
}

TEST_CASE("a connection may be destroyed inside each of its callbacks", "[connection]") {
  EventLoop loop;
  std::unique_ptr<Connection> accepted;
  auto listener =
      Listener::open(loop, {loopback_address(), 0}, [&](std::unique_ptr<Connection> c) { accepted = std::move(c); });
  REQUIRE(listener);
  std::unique_ptr<Connection> client;
  bool called = false;
  const auto destroy = [&](std::shared_ptr<std::string> captured) {
    client.reset();
    called = *captured == "alive";  // what the callback holds must outlive the call
  };
  const auto captured = std::make_shared<std::string>("alive");
  client = Connection::connect(loop, (*listener)->endpoint(), std::nullopt);
  Connection::Callbacks callbacks;
  SECTION("on_connected") {
    callbacks.on_connected = [&, captured] { destroy(captured); };
    client->set_callbacks(callbacks);
  }
  SECTION("on_bytes") {
    callbacks.on_bytes = [&, captured](std::string_view octets) {
      CHECK(octets == "hello");
      destroy(captured);
      CHECK(octets == "hello");
    };
    client->set_callbacks(callbacks);
    run_until(loop, [&] { return accepted != nullptr; });
    accepted->write("hello");
  }
  SECTION("on_drained") {
    callbacks.on_drained = [&, captured] { destroy(captured); };
    client->set_callbacks(callbacks);
    client->write("x");
  }
  SECTION("on_closed") {
    callbacks.on_closed = [&, captured](std::optional<Error>) { destroy(captured); };
    client->set_callbacks(callbacks);
    run_until(loop, [&] { return accepted != nullptr; });
    accepted.reset();
  }
  callbacks = {};
  run_until(loop, [&] { return called; });
  settle(loop, Milliseconds(5));
  CHECK(captured.use_count() == 1);
}

TEST_CASE("close silences the owner's callbacks at once", "[connection]") {
  Pair pair;
  pair.client.connection->write("x");
  pair.server.connection->write("y");
  pair.client.connection->close(Milliseconds(100));
  settle(pair.loop);
  CHECK(pair.client.events.empty());
  CHECK(pair.client.received.empty());
}

TEST_CASE("a loop that ends while connections linger releases them", "[connection]") {
  auto loop = std::make_unique<EventLoop>();
  std::unique_ptr<Connection> accepted;
  auto listener =
      Listener::open(*loop, {loopback_address(), 0}, [&](std::unique_ptr<Connection> c) { accepted = std::move(c); });
  REQUIRE(listener);
  auto client = Connection::connect(*loop, (*listener)->endpoint(), std::nullopt);
  run_until(*loop, [&] { return accepted != nullptr; });
  client->write(std::string(8'000'000, 'x'));
  client->close(Milliseconds(60'000));
  client.reset();
  SECTION("owners first") {
    accepted.reset();
    listener->reset();
    loop.reset();
  }
  SECTION("owners last") {
    loop.reset();
  }
}

TEST_CASE("an endpoint prints as address and port", "[endpoint]") {
  CHECK(Endpoint{*IpAddress::parse("192.0.2.1"), 25}.str() == "192.0.2.1:25");
  CHECK(Endpoint{*IpAddress::parse("2001:db8::1"), 587}.str() == "[2001:db8::1]:587");
}

TEST_CASE("an endpoint survives the way through a socket address", "[endpoint]") {
  for (const char* text : {"192.0.2.1", "2001:db8::1"}) {
    const Endpoint endpoint{*IpAddress::parse(text), 2525};
    const auto again = Endpoint::from_socket_address(endpoint.to_socket_address());
    REQUIRE(again);
    CHECK(*again == endpoint);
  }
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  CHECK(Endpoint::from_socket_address(local).error().kind == ErrorKind::Malformed);
}
