#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/time_point.h"

namespace waxwing {

/// Reads "2026-11-30T08:00:00Z", with or without a fraction of a second, which is rounded up to a millisecond; "+00:00"
/// and "-00:00" for Z, and lower case t and z.
/// @return  no value: not such a time, a day that no calendar has, or another offset than zero
/// @limits  years 1970 to 9999; at most 9 digits of a fraction
/// @source  RFC 3339 §5.6
[[nodiscard]] std::optional<WallTime> parse_utc_date_time(std::string_view text);

/// "2026-11-30T08:00:00Z"; what is less than a second is left out.
/// @source  RFC 3339 §5.6
[[nodiscard]] std::string utc_date_time_text(WallTime time);

}  // namespace waxwing
