#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Makes an Error of errno: "cannot <doing> <path>: <reason>".
/// @return  Exhausted (space, inodes, quota, descriptors, memory), Denied (permissions, read-only), NotFound, else
/// Unavailable
[[nodiscard]] tl::unexpected<Error> posix_failure(std::string_view doing, std::string_view path, int error_number);

/// Makes the entries of a directory durable.
[[nodiscard]] Result<void> sync_directory(const std::string& path);

/// Makes a directory with mode 0700 unless it is there.
[[nodiscard]] Result<void> ensure_directory(const std::string& path);

}  // namespace waxwing
