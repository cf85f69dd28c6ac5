#pragma once

#include <string>
#include <string_view>

namespace waxwing {

/// SHA-256 of octets, 32 octets. @source RFC 6234 §4.1
[[nodiscard]] std::string sha256(std::string_view octets);

}  // namespace waxwing
