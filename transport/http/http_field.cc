#include "transport/http/http_field.h"

#include <algorithm>

#include "policy/ascii.h"

namespace waxwing {
namespace {

bool is_token_octet(char c) {
  return is_ascii_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_value_octet(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

bool is_http_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_octet);
}

std::string_view trim_http_space(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::optional<HttpField> parse_http_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 1);
  if (!is_http_token(name) || !std::ranges::all_of(value, is_value_octet)) return std::nullopt;
  return HttpField{.name = name, .value = trim_http_space(value)};
}

}  // namespace waxwing
