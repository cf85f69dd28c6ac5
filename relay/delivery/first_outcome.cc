#include "relay/delivery/first_outcome.h"

#include <algorithm>

namespace waxwing {

bool has_first_outcome(const QueuedMessage& message, std::size_t most, WallTime now) {
  if (message.recipients.empty() || message.recipients.size() > most) return false;
  const std::string& domain = message.recipients.front().address.domain.str();
  return std::ranges::all_of(message.recipients, [&](const QueuedRecipient& recipient) {
    return recipient.address.domain.str() == domain && recipient.state == RecipientState::Queued &&
           recipient.not_before <= now;
  });
}

FirstOutcome first_outcome(const AttemptResult& result, const AttemptRecord& record, std::size_t recipients) {
  FirstOutcome outcome;
  if (!result.report || result.report->recipients.empty()) return outcome;
  if (record.updates.size() != recipients) return outcome;
  const auto all = [&](RecipientState state) {
    return std::ranges::all_of(record.updates, [&](const RecipientUpdate& update) { return update.state == state; });
  };
  if (all(RecipientState::Delivered)) outcome.kind = FirstOutcome::Kind::Delivered;
  if (all(RecipientState::Bounced)) outcome.kind = FirstOutcome::Kind::Refused;
  const RecipientOutcome& first = result.report->recipients.front();
  outcome.mx_name = result.report->mx_name;
  outcome.status = first.status;
  outcome.remote_reply = first.remote_reply;
  outcome.reason = first.reason;
  return outcome;
}

}  // namespace waxwing
