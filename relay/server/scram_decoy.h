#pragma once

#include <string_view>

#include "policy/scram_keys.h"
#include "policy/secret.h"

namespace waxwing {

/// Keys of nobody for a user who has none, like those that are made here: the same ones for the same name, so that
/// asking twice does not tell them from those of an account. No client can prove that it knows a password of them.
/// @param secret  of this relay, for good
[[nodiscard]] ScramKeys scram_decoy(const Secret& secret, std::string_view user);

}  // namespace waxwing
