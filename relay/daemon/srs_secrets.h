#pragma once

#include <string>
#include <vector>

#include "policy/result.h"
#include "policy/secret.h"
#include "policy/time_point.h"

namespace waxwing {

/// Loads the secrets of SenderRewriter from `<state>/srs/`, newest first: one file each, of mode 0600, named by the
/// moment of its making. A new one is made when there is none or the newest is older than kSrsSecretDays; old ones stay
/// until somebody removes them, since addresses made with them are still under way.
/// @errors  as PrivateFolder
[[nodiscard]] Result<std::vector<Secret>> load_srs_secrets(const std::string& state_directory, WallTime now);

inline constexpr unsigned kSrsSecretDays = 90;
inline constexpr std::size_t kMaxSrsSecrets = 16;  ///< that are read, the newest

}  // namespace waxwing
