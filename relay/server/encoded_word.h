#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// The value of a header field as mail programs show it: encoded words decoded, blank between two of them dropped, all
/// else as it is. For checks only: octets of the decoded words are taken for ASCII or UTF-8.
/// @param value  as HeaderField::value
/// @errors  Malformed: an encoded word that hides a control character, or whose character set does not contain ASCII as
///          it is (UTF-7, UTF-16, UTF-32), so that what it says cannot be checked
/// @limits  linear
/// @source  RFC 2047 §2, §4 and §6.2
[[nodiscard]] Result<std::string> decode_encoded_words(std::string_view value);

}  // namespace waxwing
