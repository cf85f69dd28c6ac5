#pragma once

#include <string>

#include "policy/result.h"
#include "policy/secret.h"
#include "policy/time_point.h"

namespace waxwing {

/// Loads the secret of scram_decoy() from `<state>/scram/secret`, and makes it where there is none. Who removes it lets
/// guessers learn once which names have changed their salts.
/// @errors  as PrivateFolder; Corrupt: too short
[[nodiscard]] Result<Secret> load_scram_secret(const std::string& state_directory, WallTime now);

}  // namespace waxwing
