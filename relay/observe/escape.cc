#include "relay/observe/escape.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

#include "policy/utf8.h"

namespace waxwing {
namespace {

struct Character {
  std::string_view octets;
  char32_t code_point = 0;
  bool valid = false;  // false: one octet that is not UTF-8
};

std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

// `octets` is not empty.
Character first_character(std::string_view octets) {
  const auto lead = static_cast<unsigned char>(octets.front());
  const std::string_view sequence = octets.substr(0, sequence_length(lead));
  if (!is_valid_utf8(sequence)) return {octets.substr(0, 1), lead, false};
  if (sequence.size() == 1) return {sequence, lead, true};
  char32_t code_point = lead & (0x7fu >> sequence.size());
  for (const char c : sequence.substr(1)) code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return {sequence, code_point, true};
}

// Ends a line, steers a terminal or changes the order in which the rest of the line is shown (Unicode UAX #9 §2).
bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

std::string escape(const Character& character, EscapeStyle style) {
  std::string escaped;
  if (style == EscapeStyle::Json && character.valid) {
    fmt::format_to(std::back_inserter(escaped), "\\u{:04x}", static_cast<std::uint32_t>(character.code_point));
    return escaped;
  }
  for (const char c : character.octets) {
    escaped += style == EscapeStyle::Json ? "\\\\x" : "\\x";
    fmt::format_to(std::back_inserter(escaped), "{:02x}", static_cast<unsigned char>(c));
  }
  return escaped;
}

enum class QuoteMarks { Escape, Leave };

// Octets from the start that stand for themselves: ASCII, neither control characters nor marks.
std::size_t plain_length(std::string_view octets) {
  std::size_t length = 0;
  while (length < octets.size() && octets[length] >= ' ' && octets[length] < '\x7f' && octets[length] != '"' &&
         octets[length] != '\\')
    ++length;
  return length;
}

void append(std::string& out, std::string_view octets, EscapeStyle style, QuoteMarks marks, std::size_t max_octets) {
  const std::size_t begin = out.size();
  std::size_t cut_at = begin;  // the last end of a character after which the mark still fits
  while (!octets.empty()) {
    const std::size_t plain = plain_length(octets);
    const std::size_t written = out.size() - begin;
    if (plain > 0 && written + plain + kCutMark.size() <= max_octets) {
      out += octets.substr(0, plain);
      octets.remove_prefix(plain);
      cut_at = out.size();
      continue;
    }
    const Character character = first_character(octets);
    octets.remove_prefix(character.octets.size());
    if (!character.valid || is_unsafe(character.code_point)) {
      out += escape(character, style);
    } else {
      const bool is_mark = character.code_point == U'"' || character.code_point == U'\\';
      if (is_mark && marks == QuoteMarks::Escape) out += '\\';
      out += character.octets;
    }
    if (out.size() - begin > max_octets) {
      out.resize(cut_at);
      out += kCutMark;
      return;
    }
    if (out.size() - begin + kCutMark.size() <= max_octets) cut_at = out.size();
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view octets, EscapeStyle style, std::size_t max_octets) {
  append(out, octets, style, QuoteMarks::Escape, max_octets);
}

bool is_plain_word(std::string_view octets) {
  if (octets.empty()) return false;
  while (!octets.empty()) {
    const Character character = first_character(octets);
    octets.remove_prefix(character.octets.size());
    const char32_t c = character.code_point;
    if (!character.valid || is_unsafe(c) || c == U' ' || c == U'"' || c == U'\\' || c == U'=') return false;
  }
  return true;
}

std::string printable(std::string_view octets, std::size_t max_octets) {
  std::string out;
  append(out, octets, EscapeStyle::Text, QuoteMarks::Leave, max_octets);
  return out;
}

}  // namespace waxwing
