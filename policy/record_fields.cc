#include "policy/record_fields.h"

#include <algorithm>

#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxFieldNameOctets = 32;
constexpr std::string_view kWsp = " \t";

std::string_view without_wsp_before(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kWsp), text.size()));
}
std::string_view without_wsp_behind(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kWsp) + 1);
}

}  // namespace

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxFieldNameOctets && is_ascii_alnum(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_ascii_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

bool is_extension_value(std::string_view value) {
  return !value.empty() &&
         std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7f && c != '=' && c != ';'; });
}

bool has_record_version(std::string_view txt, std::string_view version) {
  return txt.starts_with(version) && without_wsp_before(txt.substr(version.size())).starts_with(';');
}

Result<std::vector<RecordField>> split_record_fields(std::string_view txt, std::string_view version) {
  if (!txt.starts_with(version)) return fail(ErrorKind::Malformed, "it does not begin with " + std::string(version));
  std::vector<RecordField> fields;
  std::string_view rest = txt.substr(version.size());
  while (!rest.empty()) {
    rest = without_wsp_before(rest);
    if (!rest.starts_with(';')) return fail(ErrorKind::Malformed, "it has no \";\" between its fields");
    rest = without_wsp_before(rest.substr(1));
    if (rest.empty()) break;
    const std::size_t end = std::min(rest.find(';'), rest.size());
    // White space belongs to a delimiter, so that what is behind the last field stays.
    const std::string_view field = end == rest.size() ? rest : without_wsp_behind(rest.substr(0, end));
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos || !is_field_name(field.substr(0, equals))) {
      return fail(ErrorKind::Malformed, "it has a field that is not name=value");
    }
    if (fields.size() == kMaxRecordFields) return fail(ErrorKind::Malformed, "it has too many fields");
    fields.push_back({field.substr(0, equals), field.substr(equals + 1)});
    rest.remove_prefix(end);
  }
  return fields;
}

}  // namespace waxwing
