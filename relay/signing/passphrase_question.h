#pragma once

#include "policy/result.h"
#include "policy/secret.h"

namespace waxwing {

/// Asks the person at the terminal of this process for the passphrase under which keys are sealed, twice, without showing
/// what is typed: keys that were sealed under a slip of the finger would be lost.
/// @errors  NotFound: there is no terminal; Malformed: empty, too long, or the two are not the same
[[nodiscard]] Result<Secret> ask_for_passphrase();

}  // namespace waxwing
