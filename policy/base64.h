#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Decodes base64 with padding. Space, tab, CR and LF are passed over, as DKIM allows folding anywhere.
/// @errors  Malformed: an octet outside the alphabet, wrong or missing padding
/// @source  RFC 4648 §4, RFC 6376 §3.2
[[nodiscard]] Result<std::string> decode_base64(std::string_view text);

/// Encodes with padding and without line breaks.
[[nodiscard]] std::string encode_base64(std::string_view octets);

}  // namespace waxwing
