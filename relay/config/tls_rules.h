#pragma once

#include <string_view>

#include "policy/domain_name.h"
#include "policy/time_point.h"
#include "policy/tls_demands.h"
#include "relay/config/config.h"

namespace waxwing {

/// What is asked of the hosts of a recipient domain for a message of a tenant: the highest of delivery.minimum_tls and
/// of all [[tls.rule]] that fit, and the [[tls.exception]] of the domain, unless it has expired.
[[nodiscard]] TlsDemands tls_demands(const Config& config, std::string_view tenant, const DomainName& recipient_domain,
                                     TlsRequest request, WallTime now);

}  // namespace waxwing
