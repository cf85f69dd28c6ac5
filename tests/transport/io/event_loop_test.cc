#include "transport/io/event_loop.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace waxwing;

TEST_CASE("posted tasks run in the order of posting, and those posted before stop still run", "[event_loop]") {
  EventLoop loop;
  std::string order;
  loop.post([&] { order += 'a'; });
  loop.post([&] { order += 'b'; });
  loop.stop();
  CHECK(order.empty());
  loop.run();
  CHECK(order == "ab");
}

TEST_CASE("a task posted by a task runs in a later turn", "[event_loop]") {
  EventLoop loop;
  std::string order;
  loop.post([&] {
    loop.post([&] {
      order += "inner";
      loop.stop();
    });
    order += "outer ";
  });
  loop.run();
  CHECK(order == "outer inner");
}

TEST_CASE("what a loop posts to itself comes after what was posted before it ran, and needs no other wake-up",
          "[event_loop]") {
  EventLoop loop;
  std::string order;
  Timer first(loop, [&] {
    loop.post([&] { order += "own "; });
    loop.post([&] {
      order += "own ";
      loop.post([&] { loop.stop(); });
    });
  });
  first.start(Milliseconds(0));
  loop.post([&] { order += "early "; });
  loop.run();
  CHECK(order == "early own own ");
}

TEST_CASE("a loop that posts to itself without end still hears the others and its timers", "[event_loop]") {
  EventLoop loop;
  std::function<void()> again = [&] { loop.post(again); };
  loop.post(again);
  std::thread other;
  Timer timer(loop, [&] { other = std::thread([&] { loop.post([&] { loop.stop(); }); }); });
  timer.start(Milliseconds(5));
  loop.run();
  other.join();
}

TEST_CASE("several threads may post at once and no task is lost", "[event_loop]") {
  EventLoop loop;
  constexpr int kThreads = 4;
  constexpr int kTasks = 2'000;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int task = 0; task < kTasks; ++task) {
        loop.post([&] {
          if (++count == kThreads * kTasks) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  CHECK(count == kThreads * kTasks);
}

TEST_CASE("a loop can be stopped from another thread and run again", "[event_loop]") {
  EventLoop loop;
  for (int round = 0; round < 3; ++round) {
    std::thread other([&] { loop.stop(); });
    loop.run();
    other.join();
  }
  bool ran = false;
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  CHECK(ran);
}

TEST_CASE("tasks that never ran are destroyed with the loop", "[event_loop]") {
  auto held = std::make_shared<int>(1);
  {
    EventLoop loop;
    loop.post([held] {});
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("what a loop had posted to itself when it stopped is destroyed with it", "[event_loop]") {
  auto held = std::make_shared<int>(1);
  {
    EventLoop loop;
    std::function<void()> again = [&] { loop.post([held, &again] { again(); }); };
    again();
    loop.post([&] { loop.stop(); });
    loop.run();
    CHECK(held.use_count() > 1);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("a loop makes the process ignore SIGPIPE", "[event_loop]") {
  EventLoop loop;
  struct sigaction action {};
  REQUIRE(sigaction(SIGPIPE, nullptr, &action) == 0);
  CHECK(action.sa_handler == SIG_IGN);
}

TEST_CASE("a timer fires once for each start, the earlier one first", "[timer]") {
  EventLoop loop;
  std::string order;
  Timer late(loop, [&] {
    order += "late";
    loop.stop();
  });
  Timer early(loop, [&] { order += "early "; });
  late.start(Milliseconds(20));
  early.start(Milliseconds(1));
  CHECK(early.running());
  loop.run();
  CHECK(order == "early late");
  CHECK_FALSE(early.running());
}

TEST_CASE("a stopped or destroyed timer does not fire", "[timer]") {
  EventLoop loop;
  bool fired = false;
  Timer stopped(loop, [&] { fired = true; });
  stopped.start(Milliseconds(1));
  stopped.stop();
  auto destroyed = std::make_unique<Timer>(loop, [&] { fired = true; });
  destroyed->start(Milliseconds(1));
  destroyed.reset();
  Timer end(loop, [&] { loop.stop(); });
  end.start(Milliseconds(20));
  loop.run();
  CHECK_FALSE(fired);
}

TEST_CASE("a timer may be destroyed and replaced in its own callback", "[timer]") {
  EventLoop loop;
  std::unique_ptr<Timer> timer;
  int count = 0;
  std::function<void()> again = [&] {
    if (++count == 3) {
      timer.reset();
      loop.stop();
      return;
    }
    timer = std::make_unique<Timer>(loop, again);
    timer->start(Milliseconds(-1));
  };
  timer = std::make_unique<Timer>(loop, again);
  timer->start(Milliseconds(0));
  loop.run();
  CHECK(count == 3);
}

TEST_CASE("a timer that outlives its loop is harmless", "[timer]") {
  auto loop = std::make_unique<EventLoop>();
  Timer timer(*loop, [] {});
  timer.start(Milliseconds(1));
  loop.reset();
  CHECK_FALSE(timer.running());
}

TEST_CASE("the time of the turn moves forward and agrees with the steady clock", "[event_loop]") {
  EventLoop loop;
  Timer timer(loop, [&] { loop.stop(); });
  const MonotonicTime before = loop.now();
  timer.start(Milliseconds(5));
  loop.run();
  CHECK(loop.now() >= before + Milliseconds(5));
  CHECK(std::chrono::steady_clock::now() - loop.now() < Seconds(2));
}
