#pragma once

#include <string>

#include "keys/signing_key.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

struct ForeignKeyContent {
  SigningKey key;
  WallTime changed;  ///< the file's time of last change
};

/// Reads a private key of another program: PEM as SigningKey::from_pem(), or an Ed25519 seed in base64 as rspamd keeps
/// them (32 octets, or 64 with the public half behind). The file may belong to that program's user and group, but it
/// must be no symbolic link, and others must not be able to read or change it.
/// @errors  NotFound; Denied: permissions, or a link; Malformed, Denied as SigningKey::from_pem(); Unavailable. Each
///          names the path and the remedy
[[nodiscard]] Result<ForeignKeyContent> read_foreign_key(const std::string& path);

}  // namespace waxwing
