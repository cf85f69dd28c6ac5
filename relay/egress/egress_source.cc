#include "relay/egress/egress_source.h"

#include <algorithm>
#include <chrono>

namespace waxwing {

std::optional<std::uint64_t> WarmUp::allowance(std::int64_t day) const {
  const std::int64_t since = day - day_of(start);
  if (since < 0) return 0;
  if (since >= static_cast<std::int64_t>(per_day.size())) return std::nullopt;
  return per_day[static_cast<std::size_t>(since)];
}

std::int64_t day_of(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time.time_since_epoch()).count();
}

WallTime day_after(WallTime time) {
  return WallTime(std::chrono::days(day_of(time) + 1));
}

bool EgressSource::reaches(const IpAddress& host) const {
  return !binds_always || std::ranges::any_of(addresses, [&host](const IpAddress& address) {
    return address.family() == host.family();
  });
}

}  // namespace waxwing
