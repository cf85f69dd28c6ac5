#pragma once

#include <string_view>

namespace waxwing {

/// Whether an octet is white space that may fold a header field: space, tab, and the two octets of a line end.
/// @source  RFC 5322 §3.2.2 (FWS)
[[nodiscard]] constexpr bool is_folding_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The text without such white space at both ends.
[[nodiscard]] constexpr std::string_view without_folding_space(std::string_view text) {
  while (!text.empty() && is_folding_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_folding_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace waxwing
