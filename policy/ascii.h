#pragma once

#include <string>
#include <string_view>

namespace waxwing {

// Character classes and case of protocols: ASCII only, whatever the locale.

[[nodiscard]] constexpr bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_ascii_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
[[nodiscard]] constexpr bool is_ascii_alnum(char c) {
  return is_ascii_alpha(c) || is_ascii_digit(c);
}
[[nodiscard]] constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The text with A to Z in lower case; other octets stay.
[[nodiscard]] std::string ascii_lower(std::string_view text);

/// Whether two texts are equal when A to Z and a to z are the same.
[[nodiscard]] bool ascii_iequal(std::string_view a, std::string_view b);

/// Whether `text` begins with `prefix`, ignoring case as ascii_iequal() does.
[[nodiscard]] bool ascii_istarts_with(std::string_view text, std::string_view prefix);

}  // namespace waxwing
