#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Compresses octets into one gzip member (RFC 1952).
/// @errors  Exhausted: no memory
[[nodiscard]] Result<std::string> gzip(std::string_view octets);

}  // namespace waxwing
