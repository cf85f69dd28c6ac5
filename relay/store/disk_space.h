#pragma once

#include <cstdint>
#include <string>

#include "policy/result.h"

namespace waxwing {

/// Octets that may still be written below a directory by this process; 0 when the file system has no inode left.
/// Submissions are refused below a floor, so that outcomes of deliveries can always be recorded.
/// @errors  Unavailable: the directory cannot be asked
[[nodiscard]] Result<std::uint64_t> free_octets(const std::string& directory);

}  // namespace waxwing
