#include "relay/queue/rate_meter.h"

#include <algorithm>
#include <chrono>

namespace waxwing {
namespace {

std::int64_t second_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

void RateMeter::add(WallTime now, std::uint64_t events) {
  last_ = std::max(last_, second_of(now));
  Second& second = seconds_[static_cast<std::size_t>(last_) % seconds_.size()];
  if (second.at != last_) second = {last_, 0};
  second.events += events;
}

double RateMeter::per_second(WallTime now) const {
  const std::int64_t running = std::max(last_, second_of(now));
  std::uint64_t events = 0;
  for (const Second& second : seconds_) {
    if (second.at >= running - kRateWindow && second.at < running) events += second.events;
  }
  return static_cast<double>(events) / static_cast<double>(kRateWindow);
}

}  // namespace waxwing
