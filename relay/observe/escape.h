#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace waxwing {

enum class EscapeStyle {
  Text,  ///< `\xHH` for each octet; inside double quotes
  Json,  ///< `\u00HH` and `\uHHHH` inside a JSON string; an octet that is not UTF-8 becomes the four characters `\xHH`
};

/// Appends octets of any origin so that they can neither end the line or the quotes they stand in, nor steer a
/// terminal: control characters (C0, DEL, C1), line and paragraph separators, marks of text direction, quotes,
/// backslashes and whatever is not UTF-8 are escaped. Other text stays readable.
/// @param max_octets  of output, at least kCutMark.size(); what does not fit is replaced by kCutMark
void append_escaped(std::string& out, std::string_view octets, EscapeStyle style, std::size_t max_octets);

/// Stands where text was cut.
inline constexpr std::string_view kCutMark = "...[cut]";

/// Whether the text needs no escaping and no quotes: not empty, no space, nothing that append_escaped() would change.
[[nodiscard]] bool is_plain_word(std::string_view octets);

/// Text of any origin for one line on a terminal: append_escaped() in style Text without quotes around it, which leaves
/// quotes and backslashes as they are.
[[nodiscard]] std::string printable(std::string_view octets, std::size_t max_octets = 1'024);

}  // namespace waxwing
