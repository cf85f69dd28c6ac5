#include "policy/spf_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"
#include "policy/spf_macro.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 253;
constexpr std::size_t kMaxLabelOctets = 63;

}  // namespace

bool is_askable_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameOctets) return false;
  for (;;) {
    const std::size_t dot = name.find('.');
    const std::size_t length = std::min(dot, name.size());
    if (length == 0 || length > kMaxLabelOctets) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::string question_name(std::string_view expanded) {
  if (expanded.ends_with('.')) expanded.remove_suffix(1);
  // RFC 7208 §7.3: too long a name loses labels from the left.
  while (expanded.size() > kMaxNameOctets) {
    const std::size_t dot = expanded.find('.');
    if (dot == std::string_view::npos) break;
    expanded.remove_prefix(dot + 1);
  }
  std::string name;
  for (const char c : expanded) {
    const bool is_plain = c > 0x20 && c < 0x7f && c != '\\';
    name += is_plain ? std::string(1, ascii_lower(c)) : fmt::format("\\{:03}", static_cast<unsigned char>(c));
  }
  return name;
}

std::string dotted_address(const IpAddress& address) {
  if (address.family() == IpAddress::Family::V4) return address.str();
  std::string text;
  for (const std::uint8_t octet : address.octets()) {
    text += fmt::format("{}{:X}.{:X}", text.empty() ? "" : ".", octet >> 4, octet & 0x0f);
  }
  return text;
}

std::string reverse_name(const IpAddress& address) {
  const auto macro = parse_spf_domain_spec("%{ir}.%{v}.arpa");
  SpfMacroValues values;
  values.dotted_address = dotted_address(address);
  values.address_family = address.family() == IpAddress::Family::V4 ? "in-addr" : "ip6";
  return ascii_lower(expand_spf_macros(*macro, values));
}

bool is_name_within(std::string_view name, std::string_view ancestor) {
  return ascii_iequal(name, ancestor) ||
         (name.size() > ancestor.size() && name[name.size() - ancestor.size() - 1] == '.' &&
          ascii_iequal(name.substr(name.size() - ancestor.size()), ancestor));
}

}  // namespace waxwing
