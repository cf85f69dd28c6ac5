#include "relay/config/preflight_mode.h"

#include <utility>

#include "relay/config/rule_domain.h"

namespace waxwing {

PreflightMode preflight_mode(const Config& config, std::string_view tenant, const DomainName& author_domain) {
  PreflightMode mode = config.preflight_mode;
  std::pair<std::size_t, bool> nearness{0, false};
  for (const PreflightRule& rule : config.preflight_rules) {
    if (!rule.tenant.empty() && rule.tenant != tenant) continue;
    if (!rule_covers(rule.domain, author_domain)) continue;
    // Of domains that all cover the author's, the one with more octets has more labels.
    const std::pair candidate{rule.domain.size(), !rule.tenant.empty()};
    if (candidate < nearness) continue;
    nearness = candidate;
    mode = rule.mode;
  }
  return mode;
}

}  // namespace waxwing
