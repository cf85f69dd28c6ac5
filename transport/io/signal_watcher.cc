#include "transport/io/signal_watcher.h"

#include <uv.h>

#include <cassert>
#include <utility>

#include "transport/io/loop_handle.h"

namespace waxwing {

// As with Timer::State, the loop or the owner lets go first; who comes last frees it.
struct SignalWatcher::State final : public LoopHandle {
  void abandon() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* its_handle) {
      auto* state = static_cast<State*>(static_cast<LoopHandle*>(its_handle->data));
      state->closed = true;
      if (!state->owned) delete state;
    });
  }

  uv_signal_t handle{};
  std::function<void()> on_signal;
  bool owned = true;
  bool closed = false;
};

SignalWatcher::SignalWatcher(EventLoop& loop, int number, std::function<void()> on_signal) : state_(new State) {
  state_->on_signal = std::move(on_signal);
  const auto forward = [](uv_signal_t* handle, int) {
    static_cast<State*>(static_cast<LoopHandle*>(handle->data))->on_signal();
  };
  // Both fail only for a signal that does not exist or without memory at start.
  [[maybe_unused]] int failed = uv_signal_init(loop.native(), &state_->handle);
  assert(failed == 0);
  state_->handle.data = static_cast<LoopHandle*>(state_);
  failed = uv_signal_start(&state_->handle, forward, number);
  assert(failed == 0);
}

SignalWatcher::~SignalWatcher() {
  state_->owned = false;
  if (state_->closed) {
    delete state_;
  } else if (uv_is_closing(reinterpret_cast<const uv_handle_t*>(&state_->handle)) == 0) {
    state_->abandon();
  }
}

}  // namespace waxwing
