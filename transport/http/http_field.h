#pragma once

#include <optional>
#include <string_view>

namespace waxwing {

/// A header or trailer field line; views into the parsed line.
struct HttpField {
  std::string_view name;   ///< token, case as written
  std::string_view value;  ///< without white space around it
};

/// Splits a line without its CRLF. No value: folded, no colon, space before the colon, a name that is no token, or a
/// control octet in the value.
/// @source  RFC 9112 §5
[[nodiscard]] std::optional<HttpField> parse_http_field(std::string_view line);

/// Whether the text is a token: a name of HTTP without delimiters.
/// @source  RFC 9110 §5.6.2
[[nodiscard]] bool is_http_token(std::string_view text);

/// Without the spaces and tabs at both ends.
[[nodiscard]] std::string_view trim_http_space(std::string_view text);

}  // namespace waxwing
