#pragma once

#include <unistd.h>

#include <string>

#include "keys/key_sealing.h"
#include "policy/result.h"

namespace waxwing {

/// The credential of the service manager that is looked for when no file is named.
inline constexpr const char* kSealingCredential = "waxwing-sealing-key";

/// Reads the secret under which keys are sealed.
/// @param file   absolute path of a file that nobody but its owner may read; empty: the credential kSealingCredential in
///               the folder that the service manager names in CREDENTIALS_DIRECTORY
/// @param owner  the user, besides root, to whom the file and the folders above may belong
/// @errors  NotFound: no such file, or no credentials were passed; Denied: others than its owner may read or replace it,
///          or it is too short; Malformed, Unavailable. Each names the path and the remedy
/// @source  systemd.exec(5), "Credentials"
[[nodiscard]] Result<Secret> load_sealing_secret(SealingSecretKind kind, const std::string& file,
                                                 uid_t owner = ::geteuid());

}  // namespace waxwing
