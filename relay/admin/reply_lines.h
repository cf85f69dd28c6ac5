#pragma once

#include <nlohmann/json_fwd.hpp>

#include "relay/admin/admin_commands.h"

namespace waxwing {

/// Adds an object as a line. Octets that are not UTF-8 become U+FFFD.
void add_line(AdminReply& reply, const nlohmann::ordered_json& object);

}  // namespace waxwing
