#include "relay/queue/retry_schedule.h"

#include <algorithm>
#include <utility>

#include "policy/split_mix.h"

namespace waxwing {

RetrySchedule::RetrySchedule(std::vector<Seconds> delays) : delays_(std::move(delays)) {
  if (delays_.empty()) delays_.push_back(kDefaultRetryDelay);
}

WallTime RetrySchedule::next_attempt(std::uint32_t attempts, WallTime now, std::uint64_t seed,
                                     const RetryPace& pace) const {
  const std::size_t failed_before = attempts == 0 ? 0 : attempts - 1;
  const std::size_t last = std::min(pace.used, delays_.size()) - 1;
  const Milliseconds delay = delays_[std::min(failed_before + pace.skipped, last)];
  const Milliseconds least = delay * pace.least_permille / 1'000;
  const auto choices = static_cast<std::uint64_t>((delay * pace.most_permille / 1'000 - least).count()) + 1;
  return now + least + Milliseconds(split_mix(seed ^ split_mix(attempts)) % choices);
}

Milliseconds RetrySchedule::longest() const {
  return Milliseconds(*std::ranges::max_element(delays_)) * kMostSpreadPermille / 1'000;
}

}  // namespace waxwing
