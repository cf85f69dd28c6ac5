#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

inline constexpr std::size_t kMaxHeaderOctets = 262'144;
inline constexpr std::size_t kMaxHeaderFields = 1'000;

/// One field of a message header, borrowed from the header block that it was read from.
struct HeaderField {
  std::string_view name;   ///< as spelled, without the white space that old messages put before the colon
  std::string_view value;  ///< all after the colon, folds included, without the final CRLF
  std::string_view raw;    ///< the whole field as it is in the message, folds and final CRLF included

  /// Whether this is the field `wanted`, in any case.
  [[nodiscard]] bool is(std::string_view wanted) const;
};

/// Splits a header block into its fields, in order.
/// @param block  complete lines, each ended by CRLF, without the empty line that ends the header. Octets over 127 are
///               let through (RFC 6532), and so is everything in values but NUL and a CR or LF of its own, which mail
///               programs disagree about.
/// @errors  Malformed: a line that is neither a field nor the continuation of one, a forbidden octet, no final CRLF;
///          Exhausted: more than kMaxHeaderOctets or kMaxHeaderFields
/// @source  RFC 5322 §2.2 and §4.5, RFC 6376 §3.4
[[nodiscard]] Result<std::vector<HeaderField>> parse_header_block(std::string_view block);

}  // namespace waxwing
