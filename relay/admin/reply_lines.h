#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "policy/time_point.h"
#include "relay/admin/admin_commands.h"

namespace waxwing {

/// Adds an object as a line. Octets that are not UTF-8 become U+FFFD.
void add_line(AdminReply& reply, const nlohmann::ordered_json& object);

/// Counts a message of which a command has changed so many recipients; none: it is not counted.
void count_change(AdminReply& reply, std::uint64_t recipients);

/// A time as programs read it: "2026-11-26T07:00:00Z".
[[nodiscard]] std::string rfc3339_text(WallTime time);

}  // namespace waxwing
