#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "policy/time_point.h"

namespace waxwing {

/// Which delays of a schedule suit a cause, and how far they are spread, so that messages which failed together do not
/// come back together.
struct RetryPace {
  std::size_t skipped = 0;  ///< delays at the beginning that are too short for it
  std::size_t used =
      std::numeric_limits<std::size_t>::max();  ///< delays from the beginning, at least 1; the last repeats
  std::int64_t least_permille = 800;            ///< of the delay; at least 1
  std::int64_t most_permille = 1'200;           ///< of the delay, at most kMostSpreadPermille
};

/// When a recipient that could not be reached is tried again.
class RetrySchedule {
 public:
  /// @param delays  after the first, second … failed attempt; the last one repeats. Empty: kDefaultRetryDelay for ever.
  explicit RetrySchedule(std::vector<Seconds> delays);

  /// Time of the next attempt: the delay that follows `attempts` failed attempts at this pace, spread evenly as that says.
  /// @param attempts  attempts made so far, at least 1
  /// @param seed      the same seed and attempts give the same time
  [[nodiscard]] WallTime next_attempt(std::uint32_t attempts, WallTime now, std::uint64_t seed,
                                      const RetryPace& pace = {}) const;

  /// Nobody waits longer for the next attempt, at whatever pace.
  [[nodiscard]] Milliseconds longest() const;

 private:
  std::vector<Seconds> delays_;
};

inline constexpr Seconds kDefaultRetryDelay{900};
inline constexpr std::int64_t kMostSpreadPermille = 1'500;

}  // namespace waxwing
