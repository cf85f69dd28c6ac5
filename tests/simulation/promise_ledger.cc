#include "tests/simulation/promise_ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "relay/delivery/outcome_rules.h"
#include "relay/queue/bounce.h"

namespace waxwing {
namespace {

bool is_report(const QueuedMessage& message) {
  return message.account.empty() && !message.reverse_path;
}

bool returns_in_time(const QueuedMessage& message) {
  return message.deliver_by && message.deliver_by->mode == ByMode::Return;
}

}  // namespace

void PromiseLedger::add(const QueuedMessage& message, Answer answer) {
  Message& entry = messages_[message.id];
  entry.message = message;
  entry.answer = answer;
  for (const QueuedRecipient& recipient : message.recipients) entry.recipients[recipient.ordinal];
}

void PromiseLedger::submitted(const QueuedMessage& message) {
  add(message, Answer::None);
}

void PromiseLedger::accepted(QueueId id) {
  messages_.at(id).answer = Answer::Accepted;
}

void PromiseLedger::refused(QueueId id) {
  messages_.at(id).answer = Answer::Refused;
}

void PromiseLedger::waits(QueueId id) {
  messages_.at(id).client_waits = true;
}

void PromiseLedger::told(QueueId id, FirstOutcome::Kind kind) {
  Message& message = messages_.at(id);
  message.client_waits = false;
  message.answer = kind == FirstOutcome::Kind::Refused ? Answer::Refused : Answer::Accepted;
  const bool refused = kind == FirstOutcome::Kind::Refused;
  if (kind != FirstOutcome::Kind::Queued) ++answered_;
  for (const auto& [ordinal, recipient] : message.recipients) {
    const bool failed = !recipient.outcomes.empty() && recipient.outcomes.front() != RecipientState::Delivered;
    if (refused && !failed) broken(id, ordinal, "is refused to its client, and has not failed");
    if (kind == FirstOutcome::Kind::Delivered && recipient.received == 0)
      broken(id, ordinal, "is delivered as its client is told, and nobody has it");
    if (!refused && message.failed_silently) broken(id, ordinal, "failed, and neither client nor sender are told");
  }
}

PromiseLedger::Recipient* PromiseLedger::find(QueueId id, std::uint32_t ordinal) {
  const auto message = messages_.find(id);
  if (message == messages_.end()) return nullptr;
  const auto recipient = message->second.recipients.find(ordinal);
  return recipient == message->second.recipients.end() ? nullptr : &recipient->second;
}

void PromiseLedger::broken(QueueId id, std::uint32_t ordinal, const std::string& what) const {
  on_broken_(fmt::format("recipient {} of message {} {}", ordinal, id.str(), what));
}

void PromiseLedger::attempt_started(const DueBatch& batch) {
  for (const std::uint32_t ordinal : batch.ordinals) {
    Recipient* recipient = find(batch.message, ordinal);
    if (recipient == nullptr) continue;  // known when it is loaded
    if (recipient->trying) broken(batch.message, ordinal, "is tried twice at the same time");
    if (!recipient->outcomes.empty() && !messages_.at(batch.message).may_be_dropped)
      broken(batch.message, ordinal, "is tried after its outcome was recorded");
    recipient->trying = true;
  }
}

void PromiseLedger::attempt_loaded(const DueBatch& batch, const QueuedMessage& message,
                                   const std::vector<std::uint32_t>& concerned, const VirtualTime& time) {
  const WallTime now = time.wall();
  const WallTime latest = time.latest_wall();  // what was due stays so when the clock is set back
  if (!messages_.contains(message.id)) {
    // A report that became durable in the moment in which the process died.
    if (!is_report(message)) return on_broken_("a message that nobody submitted is tried: " + message.id.str());
    add(message, Answer::Accepted);
  }
  attempt_failed(batch);
  for (const std::uint32_t ordinal : concerned) {
    Recipient* recipient = find(message.id, ordinal);
    recipient->trying = true;
    if (batch.expired) {
      // While a destination is paused, one message tries it for all that wait.
      if (recipient->attempts == 0 && !returns_in_time(message) && !out_of_reach_[batch.domain])
        broken(message.id, ordinal, "is given up without ever having been tried");
      const bool too_late_for_sender = returns_in_time(message) && latest >= message.deliver_by->time;
      if (latest < message.expires && !too_late_for_sender)
        broken(message.id, ordinal, "is given up before its time is over");
      continue;
    }
    ++recipient->attempts;
    if (latest < find_recipient(message, ordinal)->not_before)
      broken(message.id, ordinal, "is tried before its sender wants it released");
    if (returns_in_time(message) && now >= message.deliver_by->time)
      broken(message.id, ordinal, "is tried after the time by which it was to come back");
  }
}

void PromiseLedger::attempt_failed(const DueBatch& batch) {
  for (const std::uint32_t ordinal : batch.ordinals) {
    if (Recipient* recipient = find(batch.message, ordinal)) recipient->trying = false;
  }
}

void PromiseLedger::received(QueueId id, std::uint32_t ordinal) {
  Recipient& recipient = *find(id, ordinal);
  ++recipient.received;
  if (recipient.received > 1) ++repeated_;
  if (recipient.received > recipient.allowed)
    broken(id, ordinal,
           fmt::format("was delivered {} times, and {} can be explained", recipient.received, recipient.allowed));
}

void PromiseLedger::received_unnoticed(QueueId id, std::uint32_t ordinal) {
  received(id, ordinal);
  ++find(id, ordinal)->allowed;
}

void PromiseLedger::note_destination(const RecipientUpdate& update, const QueuedMessage& message) {
  if (update.state == RecipientState::Expired) return;  // perhaps without an attempt
  out_of_reach_[message.recipients.at(update.ordinal).address.domain.str()] = update.state == RecipientState::Deferred;
}

// A failure of which the sender is to learn is recorded together with the report that tells of it.
void PromiseLedger::recording(const AttemptRecord& record) {
  for (const RecipientUpdate& update : record.updates) {
    Message& known = messages_.at(update.message);
    note_destination(update, known.message);
    if (!is_final(update.state)) continue;
    find(update.message, update.ordinal)->outcome_pending = true;
    const QueuedMessage& message = known.message;
    const QueuedRecipient& recipient = message.recipients.at(update.ordinal);
    const bool is_failure = update.state == RecipientState::Bounced || update.state == RecipientState::Expired;
    if (!is_failure || !is_wanted(ReportedAction::Failed, recipient.notice)) continue;
    const std::string address = "rfc822; " + recipient.address.str();
    const bool told = std::ranges::any_of(
        record.reports, [&](const QueuedMessage& report) { return report.body.find(address) != std::string::npos; });
    if (known.client_waits && !told) known.failed_silently = true;
    if (message.reverse_path && !told && !known.client_waits)
      broken(update.message, update.ordinal, "fails without a report to its sender");
    if (!message.reverse_path && told) broken(update.message, update.ordinal, "is a report, and is answered by one");
  }
}

void PromiseLedger::recorded(const AttemptRecord& record) {
  for (const QueuedMessage& report : record.reports) add(report, Answer::Accepted);
  for (const RecipientUpdate& update : record.updates) {
    Recipient& recipient = *find(update.message, update.ordinal);
    recipient.trying = false;
    if (!is_final(update.state)) continue;
    recipient.outcome_pending = false;
    if (!recipient.outcomes.empty() && !messages_.at(update.message).may_be_dropped)
      broken(update.message, update.ordinal, "has two outcomes");
    recipient.outcomes.push_back(update.state);
    ++(update.state == RecipientState::Delivered ? delivered_ : failed_);
  }
}

void PromiseLedger::not_recorded(const AttemptRecord& record) {
  for (const RecipientUpdate& update : record.updates) lose_sight(*find(update.message, update.ordinal));
}

// What it came to may be in the store or not.
void PromiseLedger::lose_sight(Recipient& recipient) {
  recipient.outcome_unknown = recipient.outcome_unknown || recipient.outcome_pending;
  recipient.outcome_pending = false;
  if (recipient.trying) ++recipient.allowed;
  recipient.trying = false;
}

void PromiseLedger::dropping(QueueId id) {
  const auto message = messages_.find(id);
  if (message != messages_.end()) message->second.may_be_dropped = true;
}

void PromiseLedger::died() {
  for (auto& [id, message] : messages_) {
    // Its row may be on the disk after all, and what would have removed it is gone.
    if (message.answer == Answer::Refused) message.answer = Answer::None;
    message.client_waits = false;  // it is told nothing, and keeps its message
    for (auto& [ordinal, recipient] : message.recipients) lose_sight(recipient);
  }
}

void PromiseLedger::settle_up() {
  for (const auto& [id, message] : messages_) settle_up(message);
}

void PromiseLedger::settle_up(const Message& message) {
  const QueueId id = message.message.id;
  for (const auto& [ordinal, recipient] : message.recipients) {
    const bool unnoticed = recipient.allowed > 1;
    if (message.answer == Answer::Refused && recipient.received > 0 && !unnoticed)
      broken(id, ordinal, "was delivered although the message was refused");
    if (message.answer != Answer::Accepted || message.may_be_dropped) continue;
    if (recipient.outcomes.empty() && !recipient.outcome_unknown)
      broken(id, ordinal, "was accepted and has no outcome: it is lost");
    if (recipient.outcomes.empty()) continue;
    const bool said = recipient.outcomes.front() == RecipientState::Delivered;
    if (said && recipient.received == 0) broken(id, ordinal, "is said to be delivered, and nobody has it");
    if (!said && recipient.received > 0 && recipient.allowed == 1)
      broken(id, ordinal, "is said to have failed, and was delivered");
  }
}

}  // namespace waxwing
