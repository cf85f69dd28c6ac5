#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Decodes base64 with padding. Space, tab, CR and LF are passed over, as DKIM allows folding anywhere.
/// @errors  Malformed: an octet outside the alphabet, wrong or missing padding
/// @source  RFC 4648 §4, RFC 6376 §3.2
[[nodiscard]] Result<std::string> decode_base64(std::string_view text);

/// Decodes base64 with padding and nothing between, without any copy besides: for secrets.
/// @param octets  room for what is decoded, at least text.size() / 4 * 3
/// @return  how many octets there are
/// @errors  Malformed: an octet outside the alphabet, wrong or missing padding
/// @source  RFC 4648 §4
[[nodiscard]] Result<std::size_t> decode_base64_into(std::string_view text, std::span<char> octets);

/// Encodes with padding and without line breaks.
[[nodiscard]] std::string encode_base64(std::string_view octets);

}  // namespace waxwing
