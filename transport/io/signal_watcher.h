#pragma once

#include <functional>

#include "transport/io/event_loop.h"

namespace waxwing {

/// Turns a signal of the process into a call on a loop's thread. Destroying it restores the default action.
class SignalWatcher {
 public:
  /// @param number  SIGTERM, SIGHUP …
  SignalWatcher(EventLoop& loop, int number, std::function<void()> on_signal);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  struct State;
  State* state_;  ///< freed when libuv has closed the handle
};

}  // namespace waxwing
