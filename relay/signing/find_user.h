#pragma once

#include <string>

#include <sys/types.h>

#include "policy/result.h"

namespace waxwing {

/// The number of a user that the configuration names, by name or number.
/// @param option  where the name stands, for the error
/// @errors  NotFound: there is no such user
[[nodiscard]] Result<uid_t> find_user(const std::string& name, const char* option);

}  // namespace waxwing
