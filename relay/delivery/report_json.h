#pragma once

#include <cstddef>
#include <string>

#include "relay/queue/bounce_class.h"
#include "transport/delivery/delivery_job.h"

namespace waxwing {

/// What stands behind an outcome that is not a delivery.
[[nodiscard]] BounceClass class_of(const RecipientOutcome& outcome);

/// What is kept of an attempt with a recipient and shown by `queue show`: host, endpoint, what was proven and by which
/// rule; for one that failed also its class and the stage.
/// @return  one JSON object on one line
[[nodiscard]] std::string delivery_report_json(const DeliveryReport& report, std::size_t recipient);

}  // namespace waxwing
