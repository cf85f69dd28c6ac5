#pragma once

#include <vector>

#include "keys/rotation_state.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// The name of an Ed25519 key beside the RSA key of the same generation is that one's selector and this.
inline constexpr std::string_view kEd25519Suffix = "-ed25519";

/// Names the pair of keys of a new generation: "w20260131" and "w20260131-ed25519", with a letter behind the day where
/// that is taken; in a delegated domain the first free one of "wx1", "wx2" …, for which CNAMEs exist.
/// @param made   names of private halves that are still there are not given again
/// @param slots  how many of those exist
/// @errors  Exhausted: no name is free; the detail says what to wait for
[[nodiscard]] Result<std::vector<RotatedKey>> name_next_generation(const RotationState& state, const MadeKeys& made,
                                                                   unsigned slots, WallTime now);

/// The name of a slot, from 1: "wx1".
[[nodiscard]] std::string slot_name(unsigned number);

}  // namespace waxwing
