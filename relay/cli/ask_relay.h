#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "policy/result.h"

namespace waxwing {

/// Has one request of relay/admin/admin_commands.h done and returns the lines of the answer, as run_admin() does.
using AskRelay = std::function<Result<std::vector<nlohmann::json>>(nlohmann::json request)>;

}  // namespace waxwing
