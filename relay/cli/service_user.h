#pragma once

#include <string>

#include "policy/result.h"

namespace waxwing {

/// Makes root the owner of the state directory, for good, so that whatever a command writes there belongs to the
/// service. Other users stay who they are.
/// @errors  NotFound: there is no such directory; Denied: it may not be looked at, or the change of user failed
[[nodiscard]] Result<void> become_owner_of(const std::string& state_directory);

}  // namespace waxwing
