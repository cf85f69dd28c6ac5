#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "policy/time_point.h"

namespace waxwing {

/// Counts events by the second, to tell how many came of late. Pure: time is what the caller says; a clock that goes back
/// counts for the last second that was seen.
class RateMeter {
 public:
  void add(WallTime now, std::uint64_t events = 1);

  /// Events a second, over the kRateWindow whole seconds before the one that is running.
  [[nodiscard]] double per_second(WallTime now) const;

 private:
  struct Second {
    std::int64_t at = -1;
    std::uint64_t events = 0;
  };
  std::array<Second, 16> seconds_{};  // by their last digits
  std::int64_t last_ = 0;
};

inline constexpr std::int64_t kRateWindow = 10;

}  // namespace waxwing
