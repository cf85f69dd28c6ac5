#pragma once

#include <functional>

#include "policy/time_point.h"

namespace waxwing {

/// What planning takes for the time: how long facts and policies hold. Without a function, that of the loop.
struct PlanningClock {
  std::function<MonotonicTime()> now{};
  std::function<WallTime()> wall_now{};
};

}  // namespace waxwing
