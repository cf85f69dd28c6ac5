#include "relay/delivery/outcome_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "policy/split_mix.h"
#include "relay/delivery/report_json.h"
#include "relay/queue/retry_pace.h"
#include "relay/queue/suppression.h"

namespace waxwing {
namespace {

// What is said of a recipient whose time is over.
struct ExpiryWords {
  std::string_view status;
  std::string_view text;
};
ExpiryWords words_of_expiry(const QueuedMessage& message) {
  const std::optional<DeliverBy>& by = message.deliver_by;
  if (by && by->mode == ByMode::Return && message.expires >= by->time)  // RFC 2852 §4.1.3
    return {"5.4.7", "it could not be delivered by the time that its sender gave"};
  return {"4.4.7", "its time in the queue is over"};
}

bool promises_notice(const QueuedMessage& message) {
  return message.deliver_by && message.deliver_by->mode == ByMode::Notify;
}

// When a message that is not delivered is worth a report of its delay.
WallTime delay_report_due(const QueuedMessage& message, const QueuedRecipient& recipient, Seconds after) {
  if (promises_notice(message)) return message.deliver_by->time;
  return std::max(message.accepted, recipient.not_before) + after;
}

// Whether a delivery is reported: where that was asked for and nobody else does it, and with BY= where the next host
// does not know of it, or each is to tell (RFC 2852 §4.1.4).
bool is_relaying_reported(const QueuedMessage& message, const RecipientNotice& notice, const RecipientOutcome& outcome,
                          WallTime now) {
  const std::optional<DeliverBy>& by = message.deliver_by;
  const bool unknown_there = by && by->mode == ByMode::Notify && !outcome.deliver_by_passed_on && now < by->time;
  if (by && (by->trace || unknown_there)) return is_wanted_of_time(ReportedAction::Relayed, notice);
  return !outcome.notices_passed_on && is_wanted(ReportedAction::Relayed, notice);
}

// Why it failed, in one word; empty: it did not.
std::string_view class_name(const RecipientOutcome& outcome) {
  return outcome.kind == RecipientOutcome::Kind::Delivered ? std::string_view() : bounce_class_name(class_of(outcome));
}

}  // namespace

OutcomeRules::OutcomeRules(RetrySchedule schedule, Options options)
    : schedule_(std::move(schedule)), options_(std::move(options)) {}

Settlement OutcomeRules::settle(const AttemptResult& result, WallTime now) const {
  Settlement settlement;
  for (std::size_t i = 0; i < result.tried.size(); ++i) {
    const QueuedRecipient* recipient = find_recipient(result.message, result.tried[i]);
    if (recipient == nullptr) continue;
    settle_recipient(result, *recipient, result.report->recipients.at(i), now, settlement);
    settlement.record.updates.back().report = delivery_report_json(*result.report, i);
  }
  if (!options_.count_tls_results || result.report->tls_results.empty()) return settlement;
  if (const auto domain = DomainName::parse(result.batch.domain))
    settlement.record.tls_results = {*domain, now, result.report->tls_results};
  return settlement;
}

void OutcomeRules::settle_recipient(const AttemptResult& result, const QueuedRecipient& recipient,
                                    const RecipientOutcome& outcome, WallTime now, Settlement& settlement) const {
  RecipientUpdate update{result.message.id,
                         recipient.ordinal,
                         RecipientState::Delivered,
                         recipient.attempts + 1,
                         now,
                         outcome.status,
                         outcome.reason,
                         {}};
  if (outcome.kind == RecipientOutcome::Kind::Bounced) update.state = RecipientState::Bounced;
  if (outcome.kind == RecipientOutcome::Kind::Deferred) defer(result, recipient, outcome, now, update);
  suppress(result.message, recipient, update, now, settlement);
  report(result.message, recipient, outcome, result.report->mx_name, now, update, settlement);
  if (update.state == RecipientState::Deferred) {
    QueuedRecipient again = recipient;
    again.attempts = update.attempts;
    again.next_attempt = update.next_attempt;
    settlement.again.push_back(waiting_recipient(result.message, again));
  }
  settlement.bounce_classes.push_back(class_name(outcome));
  settlement.record.updates.push_back(std::move(update));
}

void OutcomeRules::defer(const AttemptResult& result, const QueuedRecipient& recipient, const RecipientOutcome& outcome,
                         WallTime now, RecipientUpdate& update) const {
  const QueuedMessage& message = result.message;
  if (now >= message.expires) {
    const ExpiryWords words = words_of_expiry(message);
    update.state = RecipientState::Expired;
    update.status = words.status;
    update.reason = fmt::format("{}; the last attempt: {}", words.text, outcome.reason);
    return;
  }
  update.state = RecipientState::Deferred;
  // Recipients of one transaction that failed for one reason stay together: else each would get a transaction of its own.
  const std::uint64_t seed = options_.seed ^ split_mix(message.id.value()) ^ result.tried.front();
  update.next_attempt = schedule_.next_attempt(update.attempts, now, seed,
                                               retry_pace({outcome.status, outcome.remote_reply, outcome.stage}));
  if (outcome.retry_at) {  // our own end was at fault, and the schedule is about destinations
    update.next_attempt = std::max(now, *outcome.retry_at);
    if (outcome.remote_reply.empty()) update.attempts = recipient.attempts;  // nobody was asked
  }
  // The last attempt before a report that is promised for a certain time comes right before it.
  if (promises_notice(message) && message.deliver_by->time > now)
    update.next_attempt = std::min(update.next_attempt, message.deliver_by->time);
  update.next_attempt = std::min(update.next_attempt, message.expires);
}

// Mail of the relay itself has no tenant.
void OutcomeRules::suppress(const QueuedMessage& message, const QueuedRecipient& recipient,
                            const RecipientUpdate& update, WallTime now, Settlement& settlement) const {
  if (update.state != RecipientState::Bounced || !is_bad_mailbox(update.status) || message.tenant.empty()) return;
  if (!options_.suppresses_bad_mailboxes || !options_.suppresses_bad_mailboxes(message.tenant)) return;
  settlement.record.suppressions.push_back(
      {message.tenant, recipient.address, update.reason, now, now + options_.suppress_for});
}

// What the sender is to learn of an outcome, and wants to (RFC 3461 §4.1). Of a delay it learns once.
void OutcomeRules::report(const QueuedMessage& message, const QueuedRecipient& recipient,
                          const RecipientOutcome& outcome, std::string_view mx_name, WallTime now,
                          RecipientUpdate& update, Settlement& settlement) const {
  ReportedRecipient reported{
      recipient.address,    update.status, update.reason,          outcome.remote_reply,
      std::string(mx_name), now,           ReportedAction::Failed, recipient.notice.original_recipient};
  if (update.state == RecipientState::Delivered) {
    if (!is_relaying_reported(message, recipient.notice, outcome, now)) return;
    reported.action = ReportedAction::Relayed;
  } else if (update.state == RecipientState::Deferred) {
    if (recipient.delay_told || now < delay_report_due(message, recipient, options_.delay_report_after)) return;
    reported.action = ReportedAction::Delayed;
    const bool by_time = promises_notice(message);
    if (by_time) reported.status = "4.4.7";  // RFC 2852 §4.1.3
    if (!(by_time ? is_wanted_of_time(reported.action, recipient.notice)
                  : is_wanted(reported.action, recipient.notice)))
      return;
  } else if (!is_wanted(reported.action, recipient.notice)) {
    return;
  }
  update.delay_told = reported.action == ReportedAction::Delayed;
  settlement.reported.push_back(std::move(reported));
}

Settlement OutcomeRules::settle_expired(const AttemptResult& result, WallTime now) const {
  Settlement settlement;
  const ExpiryWords words = words_of_expiry(result.message);
  for (const std::uint32_t ordinal : result.batch.ordinals) {
    const QueuedRecipient* recipient = find_recipient(result.message, ordinal);
    if (recipient == nullptr || is_final(recipient->state) || recipient->state == RecipientState::Held) continue;
    const std::string last = recipient->attempts == 0 ? "" : "; the last attempt: " + recipient->reason;
    RecipientUpdate update{result.message.id,
                           ordinal,
                           RecipientState::Expired,
                           recipient->attempts,
                           now,
                           std::string(words.status),
                           std::string(words.text) + last,
                           recipient->report};
    if (is_wanted(ReportedAction::Failed, recipient->notice)) {
      settlement.reported.push_back({recipient->address,
                                     update.status,
                                     update.reason,
                                     {},
                                     {},
                                     now,
                                     ReportedAction::Failed,
                                     recipient->notice.original_recipient});
    }
    settlement.bounce_classes.emplace_back();
    settlement.record.updates.push_back(std::move(update));
  }
  return settlement;
}

DestinationConcurrency::Feedback concurrency_feedback(const DeliveryReport& report) {
  using Feedback = DestinationConcurrency::Feedback;
  Feedback feedback = Feedback::Unknown;
  for (const RecipientOutcome& outcome : report.recipients) {
    if (outcome.retry_at) continue;  // from another end of ours it may be otherwise
    const bool asked_for_less = outcome.remote_reply.starts_with("421");
    if (outcome.kind == RecipientOutcome::Kind::Delivered) return Feedback::Reached;
    if (outcome.stage >= DeliveryStage::Mail && !asked_for_less) return Feedback::Reached;
    if (outcome.stage == DeliveryStage::Login && !asked_for_less) return Feedback::Refused;
    const bool out_of_order = outcome.stage != DeliveryStage::None && class_of(outcome) != BounceClass::Tls;
    if (asked_for_less || out_of_order) feedback = Feedback::Unreached;
  }
  return feedback;
}

WaitingRecipient waiting_recipient(const QueuedMessage& message, const QueuedRecipient& recipient) {
  return {message.id,         recipient.ordinal,      recipient.address.domain.str(),
          recipient.attempts, recipient.next_attempt, message.expires,
          message.tenant,     recipient.not_before};
}

const QueuedRecipient* find_recipient(const QueuedMessage& message, std::uint32_t ordinal) {
  const auto found = std::ranges::lower_bound(message.recipients, ordinal, {}, &QueuedRecipient::ordinal);
  return found == message.recipients.end() || found->ordinal != ordinal ? nullptr : &*found;
}

}  // namespace waxwing
