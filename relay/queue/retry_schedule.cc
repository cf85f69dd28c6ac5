#include "relay/queue/retry_schedule.h"

#include <algorithm>
#include <utility>

#include "policy/split_mix.h"

namespace waxwing {
namespace {

constexpr std::int64_t kJitterPermille = 200;

}  // namespace

RetrySchedule::RetrySchedule(std::vector<Seconds> delays) : delays_(std::move(delays)) {
  if (delays_.empty()) delays_.push_back(kDefaultRetryDelay);
}

WallTime RetrySchedule::next_attempt(std::uint32_t attempts, WallTime now, std::uint64_t seed) const {
  const std::size_t failed_before = attempts == 0 ? 0 : attempts - 1;
  const Milliseconds delay = delays_[std::min<std::size_t>(failed_before, delays_.size() - 1)];
  const auto jitter =
      static_cast<std::int64_t>(split_mix(seed ^ split_mix(attempts)) % (2 * kJitterPermille + 1)) - kJitterPermille;
  return now + delay + delay / 1'000 * jitter;
}

Milliseconds RetrySchedule::longest() const {
  const Milliseconds longest = *std::ranges::max_element(delays_);
  return longest + longest / 1'000 * kJitterPermille;
}

}  // namespace waxwing
