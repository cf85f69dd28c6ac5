#include "relay/queue/retry_schedule.h"

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

// SplitMix64: a well mixed number from a seed, the same on every machine.
std::uint64_t mix(std::uint64_t seed) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

constexpr std::int64_t kJitterPermille = 200;

}  // namespace

RetrySchedule::RetrySchedule(std::vector<Seconds> delays) : delays_(std::move(delays)) {
  if (delays_.empty()) delays_.push_back(kDefaultRetryDelay);
}

WallTime RetrySchedule::next_attempt(std::uint32_t attempts, WallTime now, std::uint64_t seed) const {
  const std::size_t failed_before = attempts == 0 ? 0 : attempts - 1;
  const Milliseconds delay = delays_[std::min<std::size_t>(failed_before, delays_.size() - 1)];
  const auto jitter =
      static_cast<std::int64_t>(mix(seed ^ mix(attempts)) % (2 * kJitterPermille + 1)) - kJitterPermille;
  return now + delay + delay / 1'000 * jitter;
}

Milliseconds RetrySchedule::longest() const {
  const Milliseconds longest = *std::ranges::max_element(delays_);
  return longest + longest / 1'000 * kJitterPermille;
}

}  // namespace waxwing
