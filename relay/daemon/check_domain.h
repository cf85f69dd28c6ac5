#pragma once

#include <vector>

#include "policy/domain_check.h"
#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/config/config.h"

namespace waxwing {

/// Looks at everything that a sending domain publishes, as check_domain() in policy does, with the resolver, egress
/// addresses and keys of the configuration; the domain's MTA-STS policy is fetched. Blocks for as long as DNS takes;
/// needs no relay that runs.
/// @errors  Unavailable: the time limit has passed; Malformed or NotFound: the authorities' file or a key cannot be
/// read
/// @limits  kDomainCheckTimeLimit
[[nodiscard]] Result<std::vector<DomainFinding>> check_domain_now(const Config& config, const DomainName& domain);

inline constexpr Milliseconds kDomainCheckTimeLimit{90'000};

}  // namespace waxwing
