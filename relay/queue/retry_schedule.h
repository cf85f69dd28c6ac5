#pragma once

#include <cstdint>
#include <vector>

#include "policy/time_point.h"

namespace waxwing {

/// When a recipient that could not be reached is tried again.
class RetrySchedule {
 public:
  /// @param delays  after the first, second … failed attempt; the last one repeats. Empty: kDefaultRetryDelay for ever.
  explicit RetrySchedule(std::vector<Seconds> delays);

  /// Time of the next attempt: the delay that follows `attempts` failed attempts, changed by up to 20 % either way so
  /// that messages which failed together do not come back together.
  /// @param attempts  attempts made so far, at least 1
  /// @param seed      the same seed and attempts give the same time
  [[nodiscard]] WallTime next_attempt(std::uint32_t attempts, WallTime now, std::uint64_t seed) const;

  /// Nobody waits longer for the next attempt.
  [[nodiscard]] Milliseconds longest() const;

 private:
  std::vector<Seconds> delays_;
};

inline constexpr Seconds kDefaultRetryDelay{900};

}  // namespace waxwing
