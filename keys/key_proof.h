#pragma once

#include <string_view>

#include "keys/signer.h"
#include "policy/result.h"

namespace waxwing {

/// Signs something and verifies it with the public half of a record as it is published, so that a key is never trusted
/// for looking right.
/// @param record  TXT record as seen
/// @errors  Malformed: no key record, or one that is revoked; Denied: it does not verify, or allows neither SHA-256 nor
///          mail; Unavailable: the key could not sign
/// @source  RFC 6376 §3.6.1, RFC 6376 §6.1.2
[[nodiscard]] Result<void> prove_key(const Signer& key, std::string_view record);

}  // namespace waxwing
