#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/io/listener.h"

namespace waxwing::test {

inline IpAddress loopback_address() {
  return *IpAddress::parse("127.0.0.1");
}

/// Runs the loop until `done` holds; gives up after some seconds, so that a broken test ends.
inline void run_until(EventLoop& loop, const std::function<bool()>& done) {
  bool late = false;
  Timer limit(loop, [&] {
    late = true;
    loop.stop();
  });
  limit.start(Milliseconds(10'000));
  std::function<void()> look = [&] {
    if (done()) loop.stop();
  };
  Timer poll(loop, [&] {
    look();
    poll.start(Milliseconds(1));
  });
  poll.start(Milliseconds(0));
  loop.run();
  REQUIRE_FALSE(late);
}

/// Lets everything happen that is about to happen.
inline void settle(EventLoop& loop, Milliseconds time = Milliseconds(50)) {
  Timer timer(loop, [&] { loop.stop(); });
  timer.start(time);
  loop.run();
}

/// One end of a connection that notes what it hears.
struct Party {
  std::unique_ptr<Connection> connection;
  std::string received;
  std::vector<std::string> events;
  std::optional<Error> error;
  bool over = false;

  void take(std::unique_ptr<Connection> taken) {
    connection = std::move(taken);
    connection->set_callbacks(callbacks());
  }

  Connection::Callbacks callbacks() {
    return {.on_connected = [this] { events.push_back("connected"); },
            .on_bytes = [this](std::string_view octets) { received += octets; },
            .on_secured = [this] { events.push_back("secured"); },
            .on_closed =
                [this](std::optional<Error> why) {
                  events.push_back("closed");
                  error = std::move(why);
                  over = true;
                },
            .on_drained = [this] { events.push_back("drained"); }};
  }
};

/// A client and a server connected over loopback.
struct Pair {
  EventLoop loop;
  Party client;
  Party server;
  std::unique_ptr<Listener> listener;

  Pair() {
    auto opened = Listener::open(loop, {loopback_address(), 0},
                                 [this](std::unique_ptr<Connection> accepted) { server.take(std::move(accepted)); });
    REQUIRE(opened);
    listener = std::move(*opened);
    client.take(Connection::connect(loop, listener->endpoint(), std::nullopt));
    until([&] { return server.connection != nullptr && !client.events.empty(); });
    client.events.clear();
  }

  void until(const std::function<bool()>& done) { run_until(loop, done); }
};

}  // namespace waxwing::test
