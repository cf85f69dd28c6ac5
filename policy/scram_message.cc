#include "policy/scram_message.h"

#include <algorithm>

#include "policy/utf8.h"

namespace waxwing {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::optional<std::vector<ScramAttribute>> parse_scram_attributes(std::string_view text) {
  std::vector<ScramAttribute> attributes;
  while (attributes.size() < kMaxScramAttributes) {
    const std::size_t comma = text.find(',');
    const std::string_view attribute = text.substr(0, comma);
    if (attribute.size() < 2 || !is_letter(attribute[0]) || attribute[1] != '=') return std::nullopt;
    attributes.push_back({attribute[0], attribute.substr(2)});
    if (comma == std::string_view::npos) return attributes;
    text.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

std::string encode_scram_name(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c == ',')
      result += "=2C";
    else if (c == '=')
      result += "=3D";
    else
      result += c;
  }
  return result;
}

Result<std::string> decode_scram_name(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (text.front() != '=') {
      name += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (!text.starts_with("=2C") && !text.starts_with("=3D"))
      return fail(ErrorKind::Malformed, "a user name of SCRAM has an equals sign that is not escaped");
    name += text[1] == '2' ? ',' : '=';
    text.remove_prefix(3);
  }
  if (name.empty() || name.find('\0') != std::string::npos || !is_valid_utf8(name))
    return fail(ErrorKind::Malformed, "a user name of SCRAM is empty, holds a NUL, or is no UTF-8");
  return name;
}

bool is_scram_nonce(std::string_view text) {
  return !text.empty() && text.size() <= kMaxScramNonceOctets &&
         std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

}  // namespace waxwing
