#pragma once

#include <string_view>

#include "policy/domain_name.h"

namespace waxwing {

/// Whether a rule for a domain is for this one: the same, or one below it. A rule without a domain (empty) is for any.
[[nodiscard]] inline bool rule_covers(std::string_view rule_domain, const DomainName& domain) {
  const std::string_view name = domain.str();
  if (rule_domain.empty() || rule_domain == name) return true;
  return name.size() > rule_domain.size() && name.ends_with(rule_domain) &&
         name[name.size() - rule_domain.size() - 1] == '.';
}

}  // namespace waxwing
