#pragma once

#include <functional>

#include "policy/time_point.h"

namespace waxwing {

class EventLoop;

/// A timer that fires once for each start(). Belongs to its loop's thread; destroying it cancels, also inside
/// on_expiry.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> on_expiry);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Fires after `delay`, never inside the call; a running timer is set anew. A negative delay counts as none.
  void start(Milliseconds delay);

  /// Does nothing when it is not running.
  void stop();

  [[nodiscard]] bool running() const;

 private:
  struct State;
  State* state_;  ///< freed when libuv has closed the handle
};

}  // namespace waxwing
