#include "transport/io/signal_watcher.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <memory>

using namespace waxwing;

TEST_CASE("a signal becomes a call on the loop's thread", "[signal_watcher]") {
  EventLoop loop;
  int calls = 0;
  SignalWatcher watcher(loop, SIGUSR1, [&] {
    ++calls;
    loop.stop();
  });
  raise(SIGUSR1);
  CHECK(calls == 0);
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("a watcher may be destroyed in its own callback", "[signal_watcher]") {
  EventLoop loop;
  std::unique_ptr<SignalWatcher> watcher;
  watcher = std::make_unique<SignalWatcher>(loop, SIGUSR2, [&] {
    watcher.reset();
    loop.stop();
  });
  raise(SIGUSR2);
  loop.run();
  CHECK_FALSE(watcher);
}

TEST_CASE("a watcher that outlives its loop is harmless", "[signal_watcher]") {
  auto loop = std::make_unique<EventLoop>();
  SignalWatcher watcher(*loop, SIGUSR1, [] {});
  loop.reset();
}
