#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keys/rotation.h"

namespace waxwing {

/// Something that is to come.
struct PlannedEvent {
  std::string selector;          ///< the first of the generation
  std::string what;              ///< phrase: what happens then, or what it waits for
  std::optional<WallTime> when;  ///< not before; no value: nobody knows
};

/// What is to come for a domain, as far as it is known now, in the order of time; what waits for the world comes last.
[[nodiscard]] std::vector<PlannedEvent> plan_rotation(const RotationState& state, const RotationRules& rules);

}  // namespace waxwing
