#pragma once

#include <string>

#include "policy/result.h"
#include "relay/cli/output.h"

namespace waxwing {

/// What is rescued, and to where.
struct SalvageOrder {
  std::string state_directory;
  std::string target;
};

/// Makes a new state directory of what a damaged one still holds, and tells what was rescued and what was lost.
/// @return  whether nothing was lost
[[nodiscard]] Result<bool> salvage_queue(const SalvageOrder& order, Output& output);

}  // namespace waxwing
