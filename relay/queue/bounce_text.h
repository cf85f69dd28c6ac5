#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policy/mail_address.h"
#include "policy/time_point.h"

namespace waxwing {

/// Text of anybody made safe for a message: printable ASCII on one line; runs of other octets become one "?" or, for
/// white space, one space; at most `max_octets`, cut with "...".
[[nodiscard]] std::string printable_line(std::string_view text, std::size_t max_octets);

/// Breaks a line of printable ASCII at spaces, so that lines stay below 77 octets where they can.
/// @param indent  begins every line after the first; at least one space when the result is a header field
[[nodiscard]] std::string wrapped(std::string_view text, std::string_view indent);

/// An address as a delivery status notification names it: "rfc822; a@b" or "utf-8; …" with \x{HEX} for what is not
/// ASCII.
/// @source  RFC 3464 §2.3.2, RFC 6533 §3
[[nodiscard]] std::string typed_address(const MailAddress& address);

/// Whether text is an enhanced status code, "5.1.1".
/// @source  RFC 3463 §2
[[nodiscard]] bool is_enhanced_status(std::string_view text);

/// "Sat, 31 Jan 2026 12:00:00 +0000".
/// @source  RFC 5322 §3.3
[[nodiscard]] std::string message_date(WallTime time);

/// Whether text is printable ASCII and tabs in lines of at most 998 octets that end with CRLF.
/// @source  RFC 2045 §2.7
[[nodiscard]] bool is_7bit_text(std::string_view text);

/// A header block ready to be a text/rfc822-headers part.
struct ReturnedHeader {
  std::string text;
  bool quoted_printable = false;  ///< else 7bit
};

/// Takes the fields of a header block that fit into `max_octets`, whole fields only, encoded when they are not clean
/// ASCII.
/// @source  RFC 6522 §4, RFC 2045 §6.7
[[nodiscard]] ReturnedHeader returned_header(std::string_view header, std::size_t max_octets);

}  // namespace waxwing
