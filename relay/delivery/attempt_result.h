#pragma once

#include <cstdint>
#include <vector>

#include "policy/result.h"
#include "relay/queue/queued_message.h"
#include "relay/queue/scheduler.h"
#include "transport/delivery/delivery_job.h"

namespace waxwing {

/// What came of one attempt.
struct AttemptResult {
  DueBatch batch;
  QueuedMessage message;  ///< with all its recipients; header for bounces, no body; empty if it could not be read
  std::vector<std::uint32_t> tried;  ///< recipients of the report in its order: those of the batch that still waited
  Result<DeliveryReport> report;     ///< Error: the message could not be read, so that nothing was tried
};

}  // namespace waxwing
