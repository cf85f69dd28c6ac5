#include "relay/delivery/attempt_result.h"

#include <algorithm>

namespace waxwing {

std::vector<std::uint32_t> still_waiting(const QueuedMessage& message, const DueBatch& batch) {
  std::vector<std::uint32_t> waiting;
  for (const QueuedRecipient& recipient : message.recipients) {
    const bool in_batch = std::ranges::binary_search(batch.ordinals, recipient.ordinal);
    if (in_batch && !is_final(recipient.state) && recipient.state != RecipientState::Held)
      waiting.push_back(recipient.ordinal);
  }
  return waiting;
}

bool returns_by(const QueuedMessage& message, WallTime now) {
  return message.deliver_by && message.deliver_by->mode == ByMode::Return && message.deliver_by->time <= now;
}

}  // namespace waxwing
