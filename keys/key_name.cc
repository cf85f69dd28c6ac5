#include "keys/key_name.h"

#include <fmt/format.h>

namespace waxwing {
namespace {

constexpr std::size_t kMaxDnsNameOctets = 253;

bool has_edge_hyphen(std::string_view name) {
  return name.starts_with('-') || name.ends_with('-') || name.find("-.") != std::string_view::npos ||
         name.find(".-") != std::string_view::npos;
}

}  // namespace

Result<std::string> parse_selector(std::string_view text) {
  if (text.ends_with('.')) return fail(ErrorKind::Malformed, "a selector does not end in a dot");
  auto name = DomainName::parse(text);
  if (!name) return fail(ErrorKind::Malformed, fmt::format("not a selector: {}", name.error().detail));
  if (name->str().find('_') != std::string::npos || has_edge_hyphen(name->str())) {
    return fail(ErrorKind::Malformed,
                fmt::format("'{}' is not a selector: only letters, digits and hyphens inside a label are allowed",
                            name->str()));
  }
  return name->str();
}

Result<std::string> key_record_name(std::string_view selector, const DomainName& domain) {
  std::string name = fmt::format("{}._domainkey.{}", selector, domain.str());
  if (name.size() > kMaxDnsNameOctets) {
    return fail(ErrorKind::Malformed,
                fmt::format("the name '{}' is longer than the {} octets that DNS allows; choose a shorter selector",
                            name, kMaxDnsNameOctets));
  }
  return name;
}

}  // namespace waxwing
