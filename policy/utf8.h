#pragma once

#include <string_view>

namespace waxwing {

/// Whether the octets are UTF-8 without overlong forms, surrogates and code points above U+10FFFF. ASCII is.
/// @source  RFC 3629 §4
[[nodiscard]] bool is_valid_utf8(std::string_view octets);

}  // namespace waxwing
