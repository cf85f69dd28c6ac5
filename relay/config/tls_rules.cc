#include "relay/config/tls_rules.h"

#include <algorithm>

#include "relay/config/rule_domain.h"

namespace waxwing {

TlsDemands tls_demands(const Config& config, std::string_view tenant, const DomainName& recipient_domain,
                       TlsRequest request, WallTime now) {
  TlsDemands demands{config.minimum_tls, request};
  for (const TlsRule& rule : config.tls_rules) {
    const bool fits = (rule.tenant.empty() || rule.tenant == tenant) && rule_covers(rule.domain, recipient_domain);
    if (fits) demands.minimum = std::max(demands.minimum, rule.minimum);
  }
  for (const TlsExceptionRule& rule : config.tls_exceptions) {
    if (rule.domain != recipient_domain.str() || rule.expires <= now) continue;
    demands.exception = TlsException{rule.level, rule.reason, rule.expires};
  }
  return demands;
}

}  // namespace waxwing
