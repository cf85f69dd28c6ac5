#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "policy/time_point.h"

namespace waxwing {

/// Time that passes only from one event to the next, and a calendar beside it that may jump.
class VirtualTime {
 public:
  [[nodiscard]] MonotonicTime now() const { return now_; }
  [[nodiscard]] WallTime wall() const { return start_of_calendar_ + (now_ - MonotonicTime{}); }

  /// The latest that the calendar has ever shown.
  [[nodiscard]] WallTime latest_wall() const { return std::max(wall(), latest_before_jump_); }

  /// Sets the calendar forward or back.
  void jump(Milliseconds by) {
    latest_before_jump_ = latest_wall();
    start_of_calendar_ += by;
  }

  /// Lets something happen after a while; what is to happen at one moment happens in the order in which it was asked for.
  void after(Milliseconds delay, std::function<void()> event) {
    events_.emplace(std::pair(now_ + delay, events_so_far_++), std::move(event));
  }

  /// Goes to the next event and lets it happen; false: there is none.
  bool step() {
    if (events_.empty()) return false;
    auto next = events_.extract(events_.begin());
    now_ = next.key().first;
    next.mapped()();
    return true;
  }

 private:
  MonotonicTime now_{};
  WallTime start_of_calendar_{Seconds(1'769'860'800)};  // 2026-01-31 12:00 UTC
  WallTime latest_before_jump_{};
  std::uint64_t events_so_far_ = 0;
  std::map<std::pair<MonotonicTime, std::uint64_t>, std::function<void()>> events_;
};

}  // namespace waxwing
