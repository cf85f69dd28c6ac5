#pragma once

#include <optional>
#include <string>

#include "policy/domain_name.h"
#include "policy/lookup.h"
#include "transport/destination/destination_plan.h"

namespace waxwing {

/// The MTA-STS policy that holds for a domain now, and a sentence about where it comes from or why there is none.
struct StsDiscovery {
  StsFacts facts;
  std::string detail;
};

/// Decides which MTA-STS policy holds. A cached policy holds until it expires unless a newer one was fetched: a TXT
/// record that is gone, unreadable or unreachable and a fetch that fails change nothing. Without a cached policy they
/// mean that none is known, as RFC 8461 trusts the first contact. A policy that is due for renewal is fetched although
/// its id is the published one, and holds all the same when that fails.
/// @return  no value: answers.missing() or `needs` say what to get before calling again
/// @source  RFC 8461 §3.1, §3.3 and §5.1
[[nodiscard]] std::optional<StsDiscovery> discover_sts(const DomainName& domain, const StsState& state,
                                                       Answers& answers, DestinationNeeds& needs);

}  // namespace waxwing
