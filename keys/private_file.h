#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "policy/result.h"
#include "policy/secret.h"

namespace waxwing {

/// Reads a secret that nobody but a user (and root) may read: a file with mode 0600 or stricter in a folder as
/// PrivateFolder wants it, or a credential of the service manager.
/// @param path   absolute; a credential is what lies directly in the folder that CREDENTIALS_DIRECTORY names
/// @param owner  the user, besides root, to whom file and folders may belong
/// @errors  NotFound; Denied: permissions, owner, a symbolic link, not a plain file; Malformed: no absolute path, or
///          larger than `max_octets`; Unavailable
/// @source  systemd.exec(5), "CREDENTIALS"
[[nodiscard]] Result<Secret> read_private_file(const std::string& path, uid_t owner, std::size_t max_octets);

/// Reads a credential of the service manager, which only it can write. It gives the user access by an access control
/// list, which looks like a right of the group, so that only rights of others are refused.
/// @errors  as read_private_file()
[[nodiscard]] Result<Secret> read_credential(const std::string& path, std::size_t max_octets);

}  // namespace waxwing
