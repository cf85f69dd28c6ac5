#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/lookup.h"
#include "relay/queue/bounce_class.h"
#include "transport/delivery/delivery_agent.h"
#include "transport/destination/destination_plan.h"

namespace waxwing {

/// What stands behind an outcome that is not a delivery.
[[nodiscard]] BounceClass class_of(const RecipientOutcome& outcome);

/// What is kept of an attempt with a recipient and shown by `queue show`: host, endpoint, what was proven and by which
/// rule; for one that failed also its class and the stage.
/// @return  one JSON object on one line
[[nodiscard]] std::string delivery_report_json(const DeliveryReport& report, std::size_t recipient);

/// A plan with every DNS fact that it rests on; for `waxwing explain`.
[[nodiscard]] nlohmann::json plan_json(const DomainName& domain, const DestinationPlan& plan, const Answers& answers);

/// As plan_json(), and each host with which a session was tried has "session": what was proven, offered, or failed; for
/// `waxwing probe`.
[[nodiscard]] nlohmann::json probe_json(const DomainName& domain, const DestinationPlan& plan, const Answers& answers,
                                        const std::vector<ProbedHost>& hosts);

}  // namespace waxwing
