#include "relay/config/preflight_mode.h"

#include <utility>

namespace waxwing {
namespace {

bool covers(std::string_view rule_domain, std::string_view author_domain) {
  if (rule_domain.empty() || rule_domain == author_domain) return true;
  return author_domain.size() > rule_domain.size() && author_domain.ends_with(rule_domain) &&
         author_domain[author_domain.size() - rule_domain.size() - 1] == '.';
}

}  // namespace

PreflightMode preflight_mode(const Config& config, std::string_view tenant, const DomainName& author_domain) {
  PreflightMode mode = config.preflight_mode;
  std::pair<std::size_t, bool> nearness{0, false};
  for (const PreflightRule& rule : config.preflight_rules) {
    if (!rule.tenant.empty() && rule.tenant != tenant) continue;
    if (!covers(rule.domain, author_domain.str())) continue;
    // Of domains that all cover the author's, the one with more octets has more labels.
    const std::pair candidate{rule.domain.size(), !rule.tenant.empty()};
    if (candidate < nearness) continue;
    nearness = candidate;
    mode = rule.mode;
  }
  return mode;
}

}  // namespace waxwing
