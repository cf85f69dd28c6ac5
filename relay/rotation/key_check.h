#pragma once

#include <string>
#include <vector>

#include "keys/rotation.h"
#include "policy/time_point.h"

namespace waxwing {

/// Something about a domain's keys that is not in order.
struct KeyFinding {
  std::string selector;  ///< empty: of the domain as a whole
  std::string detail;    ///< sentence with the remedy
};

/// Compares what was seen in the DNS with what the keys' states say should be seen; also weak keys, a missing standby, and
/// records that somebody should have published or removed long ago.
/// @param sightings  of all keys that have a record, by selector
[[nodiscard]] std::vector<KeyFinding> check_keys(const RotationState& state,
                                                 const std::map<std::string, RecordSighting, std::less<>>& sightings,
                                                 WallTime now);

/// Publishing and removing may take so long before they are called a mistake.
inline constexpr Seconds kPublishingPatience{2 * 86'400};

}  // namespace waxwing
