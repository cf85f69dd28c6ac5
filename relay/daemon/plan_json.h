#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/lookup.h"
#include "transport/delivery/destination_probe.h"
#include "transport/destination/destination_plan.h"

namespace waxwing {

/// A plan with every DNS fact that it rests on; for `waxwing explain`.
[[nodiscard]] nlohmann::json plan_json(const DomainName& domain, const DestinationPlan& plan, const Answers& answers);

/// As plan_json(), and each host with which a session was tried has "session": what was proven, offered, or failed; for
/// `waxwing probe`.
[[nodiscard]] nlohmann::json probe_json(const DomainName& domain, const DestinationPlan& plan, const Answers& answers,
                                        const std::vector<ProbedHost>& hosts);

}  // namespace waxwing
