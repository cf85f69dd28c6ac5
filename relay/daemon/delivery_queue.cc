#include "relay/daemon/delivery_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "relay/daemon/report_json.h"
#include "relay/observe/timestamp.h"
#include "relay/queue/bounce.h"
#include "relay/queue/suppression.h"

namespace waxwing {
namespace {

// How many attempts one turn of the loop starts, so that a large backlog does not hold it up.
constexpr std::size_t kBatchesPerTurn = 64;
// The longest sleep: a wall clock that jumps is noticed after this.
constexpr Milliseconds kLongestSleep{30'000};
constexpr Milliseconds kUnreadableRetry{300'000};

const QueuedRecipient* find_recipient(const QueuedMessage& message, std::uint32_t ordinal) {
  const auto found = std::find_if(message.recipients.begin(), message.recipients.end(),
                                  [ordinal](const QueuedRecipient& recipient) { return recipient.ordinal == ordinal; });
  return found == message.recipients.end() ? nullptr : &*found;
}

WaitingRecipient waiting_recipient(const QueuedMessage& message, const QueuedRecipient& recipient) {
  return {message.id,         recipient.ordinal,      recipient.address.domain.str(),
          recipient.attempts, recipient.next_attempt, message.expires,
          message.tenant,     recipient.not_before};
}

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

// When a message that is not delivered is worth a report of its delay.
WallTime delay_report_due(const QueuedMessage& message, const QueuedRecipient& recipient, Seconds after) {
  if (message.deliver_by && message.deliver_by->mode == ByMode::Notify) return message.deliver_by->time;
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

std::string_view state_event(RecipientState state) {
  switch (state) {
    case RecipientState::Delivered:
      return "message_delivered";
    case RecipientState::Bounced:
      return "message_bounced";
    case RecipientState::Expired:
      return "message_expired";
    default:
      return "message_deferred";
  }
}

// What an attempt found out about how much the hosts bear. That a host proves the wrong thing, or that DNS does not
// answer, is no matter of how many try.
DestinationConcurrency::Feedback feedback_of(const DeliveryReport& report) {
  using Feedback = DestinationConcurrency::Feedback;
  Feedback feedback = Feedback::Unknown;
  for (const RecipientOutcome& outcome : report.recipients) {
    const bool asked_for_less = outcome.remote_reply.starts_with("421");
    if (outcome.kind == RecipientOutcome::Kind::Delivered) return Feedback::Reached;
    if (outcome.stage >= DeliveryStage::Mail && !asked_for_less) return Feedback::Reached;
    const bool out_of_order = outcome.stage != DeliveryStage::None && class_of(outcome) != BounceClass::Tls;
    if (asked_for_less || out_of_order) feedback = Feedback::Unreached;
  }
  return feedback;
}

DeliveryQueue::Options with_concurrency(DeliveryQueue::Options options) {
  options.limits.active_per_domain = std::min(options.concurrency.initial, options.concurrency.most);
  options.concurrency.seed = options.seed;
  return options;
}

// Why it failed, in one word; empty: it did not.
std::string_view class_name(const RecipientOutcome& outcome) {
  return outcome.kind == RecipientOutcome::Kind::Delivered ? std::string_view() : bounce_class_name(class_of(outcome));
}

}  // namespace

// What one attempt changes: written as one record, acted on when that is durable.
struct DeliveryQueue::Settlement {
  DueBatch batch;
  QueuedMessage message;
  AttemptRecord record;
  std::vector<ReportedRecipient> reported;
  std::vector<WaitingRecipient> again;
  std::vector<QueuedMessage> unsealed;
};

DeliveryQueue::DeliveryQueue(EventLoop& loop, StoreThread& store, QueueIdSource& ids, EventLog& log,
                             RetrySchedule schedule, Options options, Ports ports)
    : loop_(loop),
      store_(store),
      ids_(ids),
      log_(log),
      schedule_(std::move(schedule)),
      options_(with_concurrency(std::move(options))),
      ports_(std::move(ports)),
      concurrency_(options_.concurrency, schedule_),
      scheduler_(options_.limits),
      wake_up_(loop, [this] { run_due(); }) {}

Result<void> DeliveryQueue::load(QueueStore& store) {
  auto loaded = store.each_waiting([this](const WaitingRecipient& recipient) { scheduler_.add(recipient); });
  if (!loaded) return loaded;
  schedule_wake_up();
  return {};
}

void DeliveryQueue::enqueue(const QueuedMessage& message) {
  for (const QueuedRecipient& recipient : message.recipients) {
    if (recipient.state != RecipientState::Held) scheduler_.add(waiting_recipient(message, recipient));
  }
  run_due();
}

// Domains that bear more get more attempts at once, those that bear less get fewer.
void DeliveryQueue::adapt(const AttemptResult& result) {
  const std::string& domain = result.batch.domain;
  const bool was_paused = concurrency_.paused_until(domain).has_value();
  apply(concurrency_.on_result(domain, feedback_of(*result.report), loop_.wall_now()));
  const auto until = concurrency_.paused_until(domain);
  if (!until || was_paused) return;
  const RecipientOutcome& last = result.report->recipients.front();
  log_.write(Severity::Warning, "destination_paused",
             {{"domain", domain}, {"until", format_timestamp(*until)}, {"reason", last.reason}});
}

void DeliveryQueue::apply(const std::vector<DestinationConcurrency::Change>& changes) {
  for (const DestinationConcurrency::Change& change : changes) scheduler_.set_domain_limit(change.domain, change.limit);
}

void DeliveryQueue::run_due() {
  apply(concurrency_.resume(loop_.wall_now()));
  if (!stopped_ && store_available_) {
    for (DueBatch& batch : scheduler_.take_due(loop_.wall_now(), kBatchesPerTurn)) {
      if (batch.expired)
        ports_.load_expired(std::move(batch));
      else
        ports_.start_attempt(std::move(batch));
    }
  }
  schedule_wake_up();
}

void DeliveryQueue::schedule_wake_up() {
  if (stopped_ || !store_available_) return wake_up_.stop();
  const WallTime now = loop_.wall_now();
  std::optional<WallTime> due = scheduler_.next_due(now);
  if (const auto resume = concurrency_.next_resume(); resume && (!due || *resume < *due)) due = std::max(now, *resume);
  if (!due) return wake_up_.stop();
  wake_up_.start(std::clamp(std::chrono::duration_cast<Milliseconds>(*due - now), Milliseconds(0), kLongestSleep));
}

void DeliveryQueue::on_result(AttemptResult result) {
  if (!result.report) return settle_unreadable(result);
  if (result.batch.expired) return settle_expired(result);
  adapt(result);
  auto settlement = std::make_shared<Settlement>();
  settlement->batch = result.batch;
  for (std::size_t i = 0; i < result.tried.size(); ++i) {
    const QueuedRecipient* recipient = find_recipient(result.message, result.tried[i]);
    if (recipient == nullptr) continue;
    settle_recipient(result, *recipient, result.report->recipients.at(i), *settlement);
    settlement->record.updates.back().report = delivery_report_json(*result.report, i);
  }
  count_tls_results(result, *settlement);
  settlement->message = std::move(result.message);
  seal_reports(std::move(settlement));
}

void DeliveryQueue::count_tls_results(const AttemptResult& result, Settlement& settlement) const {
  if (!options_.count_tls_results || result.report->tls_results.empty()) return;
  const auto domain = DomainName::parse(result.batch.domain);
  if (domain) settlement.record.tls_results = {*domain, loop_.wall_now(), result.report->tls_results};
}

// Decides what one outcome means: here, and nowhere else, is a temporary failure told from a final one.
void DeliveryQueue::settle_recipient(const AttemptResult& result, const QueuedRecipient& recipient,
                                     const RecipientOutcome& outcome, Settlement& settlement) {
  const WallTime now = loop_.wall_now();
  RecipientUpdate update{result.message.id,
                         recipient.ordinal,
                         RecipientState::Delivered,
                         recipient.attempts + 1,
                         now,
                         outcome.status,
                         outcome.reason,
                         {}};
  if (outcome.kind == RecipientOutcome::Kind::Bounced) update.state = RecipientState::Bounced;
  if (outcome.kind == RecipientOutcome::Kind::Deferred) {
    const std::uint64_t seed = options_.seed ^ result.message.id.value() ^ recipient.ordinal;
    update.state = RecipientState::Deferred;
    update.next_attempt = schedule_.next_attempt(update.attempts, now, seed);
    // The last attempt before a report that is promised for a certain time comes right before it.
    const std::optional<DeliverBy>& by = result.message.deliver_by;
    if (by && by->mode == ByMode::Notify && by->time > now)
      update.next_attempt = std::min(update.next_attempt, by->time);
    if (now >= result.message.expires) {
      const ExpiryWords words = words_of_expiry(result.message);
      update.state = RecipientState::Expired;
      update.status = words.status;
      update.reason = fmt::format("{}; the last attempt: {}", words.text, outcome.reason);
    }
  }
  if (ports_.on_outcome && is_final(update.state)) ports_.on_outcome(result.message, update.state);
  suppress(result.message, recipient, update, settlement);
  report(result.message, recipient, outcome, *result.report, update, settlement);
  if (update.state == RecipientState::Deferred) {
    QueuedRecipient again = recipient;
    again.attempts = update.attempts;
    again.next_attempt = update.next_attempt;
    settlement.again.push_back(waiting_recipient(result.message, again));
  }
  log_outcome(result.message, recipient, update, &*result.report, class_name(outcome));
  settlement.record.updates.push_back(std::move(update));
}

// Mail of the relay itself has no tenant.
void DeliveryQueue::suppress(const QueuedMessage& message, const QueuedRecipient& recipient,
                             const RecipientUpdate& update, Settlement& settlement) const {
  if (update.state != RecipientState::Bounced || !is_bad_mailbox(update.status) || message.tenant.empty()) return;
  if (!options_.suppresses_bad_mailboxes || !options_.suppresses_bad_mailboxes(message.tenant)) return;
  const WallTime now = loop_.wall_now();
  settlement.record.suppressions.push_back(
      {message.tenant, recipient.address, update.reason, now, now + options_.suppress_for});
}

// What the sender is to learn of an outcome, and wants to (RFC 3461 §4.1). Of a delay it learns once.
void DeliveryQueue::report(const QueuedMessage& message, const QueuedRecipient& recipient,
                           const RecipientOutcome& outcome, const DeliveryReport& delivery, RecipientUpdate& update,
                           Settlement& settlement) const {
  ReportedRecipient reported{
      recipient.address, update.status,    update.reason,          outcome.remote_reply,
      delivery.mx_name,  loop_.wall_now(), ReportedAction::Failed, recipient.notice.original_recipient};
  const WallTime now = loop_.wall_now();
  if (update.state == RecipientState::Delivered) {
    if (!is_relaying_reported(message, recipient.notice, outcome, now)) return;
    reported.action = ReportedAction::Relayed;
  } else if (update.state == RecipientState::Deferred) {
    if (recipient.delay_told || now < delay_report_due(message, recipient, options_.delay_report_after)) return;
    reported.action = ReportedAction::Delayed;
    const bool by_time = message.deliver_by && message.deliver_by->mode == ByMode::Notify;
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

// A message that cannot be read now is neither delivered nor lost: it is tried again, and somebody is told.
void DeliveryQueue::settle_unreadable(const AttemptResult& result) {
  const Error& error = result.report.error();
  const std::string id = result.batch.message.str();
  const bool wanted = scheduler_.finished(result.batch.message, result.batch.domain, result.batch.ordinals);
  if (error.kind == ErrorKind::NotFound || !wanted) return run_due();  // it left the queue meanwhile
  log_.write(Severity::Error, "message_unreadable", {{"id", id}, {"reason", error.detail}});
  const bool known = result.message.id == result.batch.message;
  const WallTime expires = known ? result.message.expires : WallTime::max();
  const std::string tenant = known ? result.message.tenant : std::string();
  for (const std::uint32_t ordinal : result.batch.ordinals) {
    const WallTime again = loop_.wall_now() + kUnreadableRetry;
    scheduler_.add({result.batch.message, ordinal, result.batch.domain, 0, again, expires, tenant});
  }
  run_due();
}

void DeliveryQueue::settle_expired(const AttemptResult& result) {
  auto settlement = std::make_shared<Settlement>();
  settlement->batch = result.batch;
  settlement->message = result.message;
  const WallTime now = loop_.wall_now();
  for (const std::uint32_t ordinal : result.batch.ordinals) {
    const QueuedRecipient* recipient = find_recipient(result.message, ordinal);
    if (recipient == nullptr || is_final(recipient->state) || recipient->state == RecipientState::Held) continue;
    const std::string last = recipient->attempts == 0 ? "" : "; the last attempt: " + recipient->reason;
    const ExpiryWords words = words_of_expiry(result.message);
    RecipientUpdate update{result.message.id,
                           ordinal,
                           RecipientState::Expired,
                           recipient->attempts,
                           now,
                           std::string(words.status),
                           std::string(words.text) + last,
                           recipient->report};
    if (is_wanted(ReportedAction::Failed, recipient->notice)) {
      settlement->reported.push_back({recipient->address,
                                      update.status,
                                      update.reason,
                                      {},
                                      {},
                                      now,
                                      ReportedAction::Failed,
                                      recipient->notice.original_recipient});
    }
    log_outcome(result.message, *recipient, update, nullptr, {});
    settlement->record.updates.push_back(std::move(update));
  }
  seal_reports(std::move(settlement));
}

// Reports are signed one after the other; then everything is recorded together.
void DeliveryQueue::seal_reports(std::shared_ptr<Settlement> settlement) {
  if (!settlement->reported.empty()) {
    const BounceOptions options{options_.hostname, loop_.wall_now(), options_.report_lifetime,
                                options_.seed ^ settlement->message.id.value() ^ ++reports_made_};
    std::optional<MailAddress>& sender = settlement->message.reverse_path;
    if (sender && ports_.original_sender) sender = ports_.original_sender(*sender);
    settlement->unsealed = compose_bounces(settlement->message, settlement->reported, options, ids_);
    settlement->reported.clear();
  }
  if (settlement->unsealed.empty()) return record(std::move(settlement));
  QueuedMessage report = std::move(settlement->unsealed.back());
  settlement->unsealed.pop_back();
  ports_.seal_report(std::move(report), [this, settlement](QueuedMessage sealed) {
    settlement->record.reports.push_back(std::move(sealed));
    seal_reports(settlement);
  });
}

void DeliveryQueue::record(std::shared_ptr<Settlement> settlement) {
  store_.record(settlement->record, [this, settlement](Result<std::vector<QueueId>> removed) {
    loop_.post([this, settlement, removed = std::move(removed)] { on_recorded(settlement, removed); });
  });
}

void DeliveryQueue::on_recorded(const std::shared_ptr<Settlement>& settlement,
                                const Result<std::vector<QueueId>>& removed) {
  if (!removed) {
    log_.write(Severity::Error, "outcome_not_recorded",
               {{"id", settlement->batch.message.str()}, {"reason", removed.error().detail}});
    // The store works and refuses this record: better the outcomes without their report than none, for what is not
    // recorded is sent again.
    const bool had_reports = !settlement->record.reports.empty();
    settlement->record.reports.clear();
    if (had_reports && removed.error().kind != ErrorKind::Unavailable) return record(settlement);
  }
  const DueBatch& batch = settlement->batch;
  const bool wanted = scheduler_.finished(batch.message, batch.domain, batch.ordinals);
  if (wanted)
    for (const WaitingRecipient& recipient : settlement->again) scheduler_.add(recipient);
  if (!removed) return run_due();
  for (const QueuedMessage& report : settlement->record.reports) {
    log_.write(Severity::Info, "report_queued", {{"id", report.id.str()}, {"about", batch.message.str()}});
    for (const QueuedRecipient& recipient : report.recipients) scheduler_.add(waiting_recipient(report, recipient));
  }
  for (const QueueId id : *removed) {
    scheduler_.forget(id);
    log_.write(Severity::Info, "message_finished", {{"id", id.str()}});
  }
  run_due();
}

void DeliveryQueue::log_outcome(const QueuedMessage& message, const QueuedRecipient& recipient,
                                const RecipientUpdate& update, const DeliveryReport* report,
                                std::string_view bounce_class) {
  const Severity severity = update.state == RecipientState::Delivered ? Severity::Info : Severity::Warning;
  const std::string sender = message.reverse_path ? message.reverse_path->str() : "<>";
  log_.write(severity, state_event(update.state),
             {{"id", message.id.str()},
              {"message_id", message.message_id},
              {"from", sender},
              {"to", recipient.address.str()},
              {"attempts", static_cast<std::int64_t>(update.attempts)},
              {"status", update.status},
              {"class", bounce_class},
              {"mx", report == nullptr ? "" : std::string_view(report->mx_name)},
              {"peer", report == nullptr ? "" : std::string_view(report->peer)},
              {"tls", report == nullptr ? "" : std::string_view(report->tls_summary)},
              {"tls_level", report == nullptr ? "" : tls_level_name(report->proven)},
              {"tls_method", report == nullptr ? "" : std::string_view(report->tls_method)},
              {"reason", update.reason}});
}

void DeliveryQueue::retry(const WaitingRecipient& recipient) {
  apply(concurrency_.forget(recipient.domain));
  scheduler_.add(recipient);
  run_due();
}

void DeliveryQueue::hold(QueueId id) {
  scheduler_.hold(id);
}

void DeliveryQueue::release(QueueId id) {
  scheduler_.release(id);
  run_due();
}

void DeliveryQueue::forget(QueueId id) {
  scheduler_.forget(id);
}

void DeliveryQueue::on_store_state(bool available) {
  store_available_ = available;
  run_due();
}

void DeliveryQueue::stop() {
  stopped_ = true;
  wake_up_.stop();
}

}  // namespace waxwing
