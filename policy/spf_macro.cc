#include "policy/spf_macro.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::string_view kDelimiters = ".-+,/_=";
constexpr std::string_view kLetters = "slodiphv";
constexpr std::string_view kExplanationLetters = "crt";
constexpr std::size_t kMaxExpansionOctets = 65'536;
constexpr unsigned kMostParts = 128;  // no name has more labels; larger numbers mean the same

void append_literal(SpfMacroString& parts, std::string_view text) {
  if (parts.empty() || parts.back().letter != 0) parts.emplace_back();
  parts.back().literal += text;
}

// Reads "{d2r.-}" from behind the "%"; returns the octets read, 0 when it is not a macro.
std::size_t parse_expand(std::string_view text, SpfMacroUse use, SpfMacroPart& part) {
  const std::size_t close = text.find('}');
  if (!text.starts_with('{') || close == std::string_view::npos || close < 2) return 0;
  part.letter = ascii_lower(text[1]);
  part.url_escape = part.letter != text[1];
  const bool known =
      kLetters.find(part.letter) != std::string_view::npos ||
      (use == SpfMacroUse::Explanation && kExplanationLetters.find(part.letter) != std::string_view::npos);
  if (!known) return 0;
  std::size_t i = 2;
  for (; is_ascii_digit(text[i]); ++i)
    part.keep = std::min(part.keep * 10 + static_cast<unsigned>(text[i] - '0'), kMostParts);
  if (i > 2 && part.keep == 0) return 0;
  if (ascii_lower(text[i]) == 'r') {
    part.reverse = true;
    ++i;
  }
  part.delimiters = text.substr(i, close - i);
  if (part.delimiters.find_first_not_of(kDelimiters) != std::string::npos) return 0;
  return close + 1;
}

// Reads what follows a "%"; returns the octets read, 0 when the grammar is broken.
std::size_t parse_escape(std::string_view text, SpfMacroUse use, SpfMacroString& parts) {
  if (text.starts_with('%') || text.starts_with('_') || text.starts_with('-')) {
    append_literal(parts, text[0] == '%' ? "%" : text[0] == '_' ? " " : "%20");
    return 1;
  }
  SpfMacroPart part;
  const std::size_t length = parse_expand(text, use, part);
  if (length > 0) parts.push_back(std::move(part));
  return length;
}

struct ParsedMacroString {
  SpfMacroString parts;
  std::size_t literal_tail = 0;  // where the text after the last macro begins
};

std::optional<ParsedMacroString> parse(std::string_view text, SpfMacroUse use) {
  ParsedMacroString parsed;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const bool is_literal = (c > 0x20 && c < 0x7f) || (c == ' ' && use == SpfMacroUse::Explanation);
    if (!is_literal) return std::nullopt;
    if (c != '%') {
      append_literal(parsed.parts, text.substr(i++, 1));
      continue;
    }
    const std::size_t length = parse_escape(text.substr(i + 1), use, parsed.parts);
    if (length == 0) return std::nullopt;
    i += 1 + length;
    parsed.literal_tail = i;
  }
  return parsed;
}

// toplabel: letters, digits and inner hyphens, not digits alone.
bool is_top_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_ascii_alnum(c) || c == '-'; }) &&
         !std::ranges::all_of(label, is_ascii_digit);
}

bool ends_like_domain(std::string_view tail) {
  if (tail.ends_with('.')) tail.remove_suffix(1);
  const std::size_t dot = tail.rfind('.');
  return dot != std::string_view::npos && is_top_label(tail.substr(dot + 1));
}

std::vector<std::string> split(const std::string& value, std::string_view delimiters) {
  std::vector<std::string> parts(1);
  for (const char c : value) {
    if (delimiters.find(c) != std::string_view::npos) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string url_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (is_ascii_alnum(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

std::string value_of(char letter, const SpfMacroValues& values) {
  switch (letter) {
    case 's':
      return values.sender_local + "@" + values.sender_domain;
    case 'l':
      return values.sender_local;
    case 'o':
      return values.sender_domain;
    case 'd':
      return values.domain;
    case 'i':
      return values.dotted_address;
    case 'p':
      return values.validated_name;
    case 'v':
      return values.address_family;
    case 'h':
      return values.helo;
    case 'c':
      return values.address;
    case 'r':
      return values.receiver;
    default:
      return values.timestamp;
  }
}

std::string expand_part(const SpfMacroPart& part, const SpfMacroValues& values) {
  if (part.letter == 0) return part.literal;
  std::string value = value_of(part.letter, values);
  if (part.reverse || part.keep > 0 || !part.delimiters.empty()) {
    std::vector<std::string> pieces = split(value, part.delimiters.empty() ? "." : std::string_view(part.delimiters));
    if (part.reverse) std::ranges::reverse(pieces);
    const std::size_t drop = part.keep > 0 && part.keep < pieces.size() ? pieces.size() - part.keep : 0;
    value.clear();
    for (std::size_t i = drop; i < pieces.size(); ++i) value += (i == drop ? "" : ".") + pieces[i];
  }
  return part.url_escape ? url_escaped(value) : value;
}

}  // namespace

std::optional<SpfMacroString> parse_spf_macro_string(std::string_view text, SpfMacroUse use) {
  auto parsed = parse(text, use);
  if (!parsed) return std::nullopt;
  return std::move(parsed->parts);
}

std::optional<SpfMacroString> parse_spf_domain_spec(std::string_view text) {
  auto parsed = parse(text, SpfMacroUse::DomainSpec);
  if (!parsed) return std::nullopt;
  const std::string_view tail = text.substr(parsed->literal_tail);
  const bool ends_in_macro = tail.empty() && !text.empty();
  if (!ends_in_macro && !ends_like_domain(tail)) return std::nullopt;
  return std::move(parsed->parts);
}

bool uses_spf_macro(const SpfMacroString& text, char letter) {
  return std::ranges::find(text, letter, &SpfMacroPart::letter) != text.end();
}

std::string expand_spf_macros(const SpfMacroString& text, const SpfMacroValues& values) {
  std::string expanded;
  for (const SpfMacroPart& part : text) {
    if (expanded.size() > kMaxExpansionOctets) break;
    expanded += expand_part(part, values);
  }
  return expanded;
}

}  // namespace waxwing
