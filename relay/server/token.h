#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Makes a token that nobody can guess: 256 random bits in letters, digits, "-" and "_".
/// @errors  Unavailable: the system has no random numbers
[[nodiscard]] Result<std::string> make_token();

/// What is kept of a token: its SHA-256, 32 octets. A token has too many bits to be guessed, so it needs no slow hash.
[[nodiscard]] std::string token_digest(std::string_view token);

}  // namespace waxwing
