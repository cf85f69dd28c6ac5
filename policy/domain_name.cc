#include "policy/domain_name.h"

#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>

#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 253;
constexpr std::size_t kMaxLabelOctets = 63;
constexpr std::size_t kMaxInputOctets = 1'024;  // a U-label form of 253 octets of A-labels is shorter than this

bool is_label_octet(char c) {
  return is_ascii_alnum(c) || c == '-' || c == '_';
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Result<std::string> to_a_labels(std::string_view text) {
  const std::string input(text);
  char* output = nullptr;
  const int code = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(input.c_str()),
                                  reinterpret_cast<std::uint8_t**>(&output), IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  if (code != IDN2_OK) {
    return fail(ErrorKind::Malformed,
                fmt::format("the internationalized domain name is not valid: {}", idn2_strerror(code)));
  }
  std::string name(output);
  idn2_free(output);
  return name;
}

Result<void> check_label(std::string_view label, std::string_view name) {
  if (label.empty()) return fail(ErrorKind::Malformed, fmt::format("domain name \"{}\" has an empty label", name));
  if (label.size() > kMaxLabelOctets) {
    return fail(ErrorKind::Malformed, fmt::format("domain name \"{}\" has a label of more than 63 octets", name));
  }
  if (!std::ranges::all_of(label, is_label_octet)) {
    return fail(ErrorKind::Malformed,
                "the domain name holds an octet other than letters, digits, hyphens, underscores and dots");
  }
  if (label.front() == '-' || label.back() == '-') {
    return fail(ErrorKind::Malformed,
                fmt::format("domain name \"{}\" has a label that begins or ends with a hyphen", name));
  }
  return {};
}

Result<void> check_name(std::string_view name) {
  if (name.empty()) return fail(ErrorKind::Malformed, "the domain name is empty");
  if (name.size() > kMaxNameOctets) return fail(ErrorKind::Malformed, "the domain name is longer than 253 octets");
  std::string_view rest = name;
  for (;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (auto checked = check_label(label, name); !checked) return checked;
    if (dot != std::string_view::npos) {
      rest.remove_prefix(dot + 1);
      continue;
    }
    // No top-level domain is all digits; this keeps "192.0.2.1" and its abbreviations out (RFC 3696 §2).
    if (std::ranges::all_of(label, is_ascii_digit)) {
      return fail(ErrorKind::Malformed, fmt::format("\"{}\" is an IP address or a number, not a domain name", name));
    }
    return {};
  }
}

}  // namespace

Result<DomainName> DomainName::parse(std::string_view text) {
  if (text.size() > kMaxInputOctets) return fail(ErrorKind::Malformed, "the domain name is longer than 253 octets");
  if (text.find('\0') != std::string_view::npos) return fail(ErrorKind::Malformed, "the domain name holds a NUL octet");
  std::string name(text);
  if (!is_ascii(name)) {
    auto converted = to_a_labels(name);
    if (!converted) return tl::unexpected(std::move(converted.error()));
    name = std::move(*converted);
  }
  if (name.ends_with('.')) name.pop_back();
  name = ascii_lower(name);
  if (auto checked = check_name(name); !checked) return tl::unexpected(std::move(checked.error()));
  return DomainName(std::move(name));
}

std::size_t DomainName::label_count() const {
  return static_cast<std::size_t>(std::ranges::count(name_, '.')) + 1;
}

DomainName DomainName::last_labels(std::size_t count) const {
  std::size_t start = 0;
  for (std::size_t labels = label_count(); labels > count && labels > 1; --labels) start = name_.find('.', start) + 1;
  return DomainName(name_.substr(start));
}

bool DomainName::is_within(const DomainName& ancestor) const {
  if (name_ == ancestor.name_) return true;
  return name_.size() > ancestor.name_.size() && name_.ends_with(ancestor.name_) &&
         name_[name_.size() - ancestor.name_.size() - 1] == '.';
}

}  // namespace waxwing
