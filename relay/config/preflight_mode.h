#pragma once

#include <string_view>

#include "policy/domain_name.h"
#include "relay/config/config.h"

namespace waxwing {

/// Decides what is done with a message that would fail at its receivers: the mode of the nearest rule that fits. A rule
/// with a domain is nearer than one without, a longer domain nearer than a shorter one, and then one with a tenant
/// nearer than one without; without a rule, preflight.mode. The domain comes first, because it is the domain whose
/// standing a wrong mode would cost, whoever submits.
[[nodiscard]] PreflightMode preflight_mode(const Config& config, std::string_view tenant,
                                           const DomainName& author_domain);

}  // namespace waxwing
