#pragma once

#include <string>

#include "policy/time_point.h"

namespace waxwing {

/// A time in UTC with milliseconds, "2026-01-31T12:00:00.000Z".
/// @source  RFC 3339 §5.6
[[nodiscard]] std::string format_timestamp(WallTime time);

}  // namespace waxwing
