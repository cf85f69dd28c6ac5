#include "relay/server/tls_required_field.h"

#include <algorithm>
#include <string_view>

#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::string_view kFoldingSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kFoldingSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kFoldingSpace) - begin + 1);
}

}  // namespace

bool says_tls_required_no(const std::vector<HeaderField>& fields) {
  const auto is_tls_required = [](const HeaderField& field) { return field.is("TLS-Required"); };
  const auto found = std::ranges::find_if(fields, is_tls_required);
  if (found == fields.end() || std::ranges::count_if(fields, is_tls_required) != 1) return false;
  return ascii_iequal(trimmed(found->value), "No");
}

}  // namespace waxwing
