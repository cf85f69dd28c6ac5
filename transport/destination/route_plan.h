#pragma once

#include <optional>

#include "transport/destination/destination_plan.h"

namespace waxwing {

/// Plans delivery by options.route, which names its hosts: their addresses and TLSA records alone are looked up. A host
/// that is this relay itself is not used. Such mail is never bounced for what is wrong with the route, since only the
/// operator can mend that.
/// @return  as plan_destination()
[[nodiscard]] std::optional<DestinationPlan> plan_next_hops(const DestinationOptions& options, Answers& answers);

/// Puts the route's name to a plan by the MX records of another domain, and makes of each bounce a deferral.
void plan_as_route(const Route& route, DestinationPlan& plan);

}  // namespace waxwing
