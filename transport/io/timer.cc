#include "transport/io/timer.h"

#include <uv.h>

#include <algorithm>
#include <utility>

#include "transport/io/event_loop.h"
#include "transport/io/loop_handle.h"

namespace waxwing {

// The loop may close the handle before the owner lets go of the timer, or the other way round; who comes last frees it.
struct Timer::State final : public LoopHandle {
  void abandon() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* its_handle) {
      auto* state = static_cast<State*>(static_cast<LoopHandle*>(its_handle->data));
      state->closed = true;
      if (!state->owned) delete state;
    });
  }

  uv_timer_t handle{};
  std::function<void()> on_expiry;
  bool owned = true;
  bool closed = false;
};

Timer::Timer(EventLoop& loop, std::function<void()> on_expiry) : state_(new State) {
  state_->on_expiry = std::move(on_expiry);
  uv_timer_init(loop.native(), &state_->handle);
  state_->handle.data = static_cast<LoopHandle*>(state_);
}

Timer::~Timer() {
  state_->owned = false;
  if (state_->closed) {
    delete state_;
  } else if (uv_is_closing(reinterpret_cast<const uv_handle_t*>(&state_->handle)) == 0) {
    state_->abandon();
  }
}

void Timer::start(Milliseconds delay) {
  const auto expire = [](uv_timer_t* handle) {
    static_cast<State*>(static_cast<LoopHandle*>(handle->data))->on_expiry();
  };
  uv_timer_start(&state_->handle, expire, static_cast<std::uint64_t>(std::max<Milliseconds::rep>(delay.count(), 0)), 0);
}

void Timer::stop() {
  uv_timer_stop(&state_->handle);
}

bool Timer::running() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->handle)) != 0;
}

}  // namespace waxwing
