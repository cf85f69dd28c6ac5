#pragma once

#include <cstdint>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/queued_message.h"
#include "relay/queue/scheduler.h"
#include "transport/delivery/delivery_job.h"

namespace waxwing {

/// What came of one attempt.
struct AttemptResult {
  DueBatch batch;
  QueuedMessage
      message;  ///< with the recipients of the batch; header for bounces, no body; empty if it could not be read
  std::vector<std::uint32_t> tried;  ///< recipients of the report in its order: those of the batch that still waited
  Result<DeliveryReport> report;     ///< Error: the message could not be read, so that nothing was tried
};

/// Recipients of a batch for whom something is still to be done: an operator may have dropped or held some meanwhile.
/// @return  ordinals, increasing
[[nodiscard]] std::vector<std::uint32_t> still_waiting(const QueuedMessage& message, const DueBatch& batch);

/// Whether the sender wants the message back now instead of delivered: an attempt that begins would come too late.
/// @source  RFC 2852 §4.1.3
[[nodiscard]] bool returns_by(const QueuedMessage& message, WallTime now);

}  // namespace waxwing
