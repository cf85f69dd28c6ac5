#pragma once

#include <string_view>
#include <vector>

#include "keys/rotation_state.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

// What an operator may ask for. Each gives the state that follows and its entries of the audit log, or says why it
// cannot be, with nothing changed.

struct RotationChange {
  RotationState state;
  std::vector<KeyTransition> transitions;
};

/// Begins the life cycle of a domain whose keys were made by hand: the youngest are active, as they have been so far,
/// and the older ones retire.
/// @param groups  keys that go together, oldest first; may be empty
[[nodiscard]] RotationChange adopt_keys(const DomainName& domain, std::vector<std::vector<RotatedKey>> groups,
                                        WallTime now);

/// Adds keys that the operator named himself.
/// @errors  Conflict: a generation has one of these selectors
[[nodiscard]] Result<RotationChange> add_generation(RotationState state, std::vector<RotatedKey> keys, WallTime now);

/// Asks for a rotation: it happens when a second standby is ready. A second request while one waits changes nothing.
[[nodiscard]] RotationChange request_rotation(RotationState state, WallTime now);

/// Lets the standby sign from now on, and the active key no more.
/// @errors  Denied: no standby is ready
[[nodiscard]] Result<RotationChange> rotate_now(RotationState state, WallTime now);

/// Takes keys out of use that somebody else may have: they sign no more, their records are revoked at once whatever is
/// under way, and the standby takes over where there is one.
/// @errors  NotFound: no generation that lives has this selector
[[nodiscard]] Result<RotationChange> revoke_keys(RotationState state, std::string_view selector, WallTime now);

/// Has the private halves published, not destroyed, when their life ends.
/// @errors  NotFound: no generation that lives has this selector; Denied: it may still sign or be needed
[[nodiscard]] Result<RotationChange> request_reveal(RotationState state, std::string_view selector, WallTime now);

}  // namespace waxwing
