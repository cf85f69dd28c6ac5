#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include <uv.h>

#include "policy/time_point.h"
#include "transport/io/timer.h"

namespace waxwing {

/// One libuv loop and the thread that runs it. Everything that is attached to a loop is made, used and destroyed on the
/// loop's thread; post() and stop() alone may be called from elsewhere. The first loop makes the process ignore
/// SIGPIPE, which libuv's writes would raise.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();  ///< closes what is left, connections that linger too; the loop must not be running
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs until stop(). Tasks posted before stop() are still run.
  void run();

  /// Makes run() return soon; without a run() under way, the next one. Any thread.
  void stop();

  /// Runs `task` on the loop's thread, in the order of posting, never inside the call. Any thread. A task that never
  /// got its turn is destroyed with the loop.
  void post(std::function<void()> task);

  /// Time of the current turn, for deadlines.
  [[nodiscard]] MonotonicTime now() const;

  /// Calendar time.
  [[nodiscard]] WallTime wall_now() const;

  [[nodiscard]] uv_loop_t* native();

  /// Room that the reads of all connections share: contents last only until the callback in progress returns.
  [[nodiscard]] std::span<char> read_buffer();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waxwing
