#include "relay/delivery/delivery_queue.h"

#include <algorithm>
#include <utility>

#include "relay/observe/timestamp.h"

namespace waxwing {
namespace {

// How many attempts one turn starts, so that a large backlog does not hold up whoever calls.
constexpr std::size_t kBatchesPerTurn = 64;
// The longest sleep: a wall clock that jumps is noticed after this.
constexpr Milliseconds kLongestSleep{30'000};
constexpr Milliseconds kUnreadableRetry{300'000};
// A clock that is set back by less is only being adjusted.
constexpr Milliseconds kClockAdjustment{60'000};

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

// Those with most recipients, first of all the first.
template <class Load>
std::vector<Load> heaviest(std::vector<Load> loads, std::size_t most) {
  const std::size_t kept = std::min(most, loads.size());
  const auto heavier = [](const Load& one, const Load& other) { return one.recipients > other.recipients; };
  std::partial_sort(loads.begin(), loads.begin() + static_cast<std::ptrdiff_t>(kept), loads.end(), heavier);
  loads.erase(loads.begin() + static_cast<std::ptrdiff_t>(kept), loads.end());
  return loads;
}

DeliveryQueue::Options consistent(DeliveryQueue::Options options) {
  options.limits.active_per_destination = std::min(options.concurrency.initial, options.concurrency.most);
  options.concurrency.seed = options.seed;
  options.outcomes.seed = options.seed;
  return options;
}

}  // namespace

// What one attempt came to, on its way to the store.
struct DeliveryQueue::Recording {
  DueBatch batch;
  QueuedMessage message;
  Settlement settlement;
  std::vector<QueuedMessage> unsealed;
  Watcher watcher;  // of a client that waits for `first`; empty: nobody does
  FirstOutcome first;
};

DeliveryQueue::DeliveryQueue(ReportComposer& composer, EventLog& log, RetrySchedule schedule, Options options,
                             Ports ports)
    : composer_(composer),
      log_(log),
      options_(consistent(std::move(options))),
      ports_(std::move(ports)),
      rules_(schedule, options_.outcomes),
      concurrency_(options_.concurrency, schedule),
      scheduler_(options_.limits) {}

void DeliveryQueue::add(WaitingRecipient recipient) {
  recipient.destination = destination_of(recipient);
  scheduler_.add(recipient);
}

std::string DeliveryQueue::destination_of(const WaitingRecipient& recipient) const {
  const std::string route = ports_.destination ? ports_.destination(recipient.tenant, recipient.domain) : std::string();
  return route.empty() ? recipient.domain : route;
}

Result<void> DeliveryQueue::load(QueueStore& store) {
  auto loaded = store.each_waiting([this](const WaitingRecipient& recipient) { add(recipient); });
  if (!loaded) return loaded;
  // The clock may be behind the one by which they were deferred.
  scheduler_.bring_forward(ports_.now() + rules_.longest_delay());
  schedule_wake_up();
  return {};
}

void DeliveryQueue::enqueue(const QueuedMessage& message) {
  if (!message.account.empty()) pulse_.on_accepted(ports_.now());
  for (const QueuedRecipient& recipient : message.recipients) {
    if (recipient.state != RecipientState::Held) add(waiting_recipient(message, recipient));
  }
  run_due();
}

void DeliveryQueue::enqueue(const QueuedMessage& message, Milliseconds patience, Watcher watcher) {
  const WallTime now = ports_.now();
  const bool is_tried_now =
      !stopped_ && store_available_ && has_first_outcome(message, options_.limits.recipients_per_batch, now) &&
      !concurrency_.paused_until(destination_of(waiting_recipient(message, message.recipients.front())));
  if (is_tried_now) {
    watch_ends_.emplace(now + patience, message.id.value());
    watches_.emplace(message.id.value(), Watch{now + patience, std::move(watcher), message.recipients.size()});
  } else {
    watcher({});
  }
  enqueue(message);
}

void DeliveryQueue::stop_watching(QueueId id) {
  if (const Watch watch = take_watch(id); watch.watcher) watch.watcher({});
}

// Without a watcher: nobody waits for this message.
DeliveryQueue::Watch DeliveryQueue::take_watch(QueueId id) {
  auto watch = watches_.extract(id.value());
  if (!watch) return {};
  watch_ends_.erase({watch.mapped().until, id.value()});
  return std::move(watch.mapped());
}

void DeliveryQueue::end_watches(WallTime now) {
  const bool nothing_is_tried = stopped_ || !store_available_;
  while (!watch_ends_.empty() && (nothing_is_tried || watch_ends_.begin()->first <= now))
    stop_watching(QueueId(watch_ends_.begin()->second));
}

// Whoever waits is answered when the outcome is durable. What it learns in this way needs no report.
void DeliveryQueue::answer_watcher(const AttemptResult& result, Recording& recording) {
  Watch watch = take_watch(result.batch.message);
  if (!watch.watcher) return;
  recording.first = first_outcome(result, recording.settlement.record, watch.recipients);
  if (recording.first.kind == FirstOutcome::Kind::Queued) return watch.watcher({});
  if (recording.first.kind == FirstOutcome::Kind::Refused) recording.settlement.reported.clear();
  recording.watcher = std::move(watch.watcher);
}

// Destinations that bear more get more attempts at once, those that bear less get fewer.
void DeliveryQueue::adapt(const AttemptResult& result) {
  const std::string& destination = result.batch.destination;
  const bool was_paused = concurrency_.paused_until(destination).has_value();
  const DestinationConcurrency::Feedback feedback = concurrency_feedback(*result.report);
  apply(concurrency_.on_result(destination, feedback, ports_.now()));
  const auto until = concurrency_.paused_until(destination);
  if (!until || was_paused) return;
  const RecipientOutcome& last = result.report->recipients.front();
  if (feedback == DestinationConcurrency::Feedback::Refused) {
    log_.write(Severity::Error, "login_refused", {{"route", result.report->route}, {"reason", last.reason}});
  }
  log_.write(Severity::Warning, "destination_paused",
             {{"domain", result.report->route.empty() ? destination : std::string()},
              {"route", result.report->route},
              {"until", format_timestamp(*until)},
              {"reason", last.reason}});
}

void DeliveryQueue::apply(const std::vector<DestinationConcurrency::Change>& changes) {
  for (const DestinationConcurrency::Change& change : changes)
    scheduler_.set_destination_limit(change.domain, change.limit);
}

void DeliveryQueue::heed_clock(WallTime now) {
  if (now + kClockAdjustment < latest_seen_) {
    log_.write(Severity::Warning, "clock_set_back", {{"from", format_timestamp(latest_seen_)}});
    scheduler_.bring_forward(now + rules_.longest_delay());
    concurrency_.bring_forward(now);
    unrecorded_.bring_forward(now);
    latest_seen_ = now;
  }
  latest_seen_ = std::max(latest_seen_, now);
}

void DeliveryQueue::run_due() {
  const WallTime now = ports_.now();
  heed_clock(now);
  end_watches(now);
  apply(concurrency_.resume(now));
  if (!stopped_ && store_available_) {
    record_again();
    for (DueBatch& batch : scheduler_.take_due(now, kBatchesPerTurn)) {
      if (batch.expired)
        ports_.load_expired(std::move(batch));
      else
        ports_.start_attempt(std::move(batch));
    }
  }
  schedule_wake_up();
}

void DeliveryQueue::schedule_wake_up() {
  if (stopped_ || !store_available_) return ports_.wake_up(std::nullopt);
  const WallTime now = ports_.now();
  std::optional<WallTime> due = scheduler_.next_due(now);
  if (const auto resume = concurrency_.next_resume(); resume && (!due || *resume < *due)) due = std::max(now, *resume);
  if (const auto again = unrecorded_.next_due(); again && (!due || *again < *due)) due = std::max(now, *again);
  if (!watch_ends_.empty() && (!due || watch_ends_.begin()->first < *due)) due = watch_ends_.begin()->first;
  if (!due) return ports_.wake_up(std::nullopt);
  ports_.wake_up(std::clamp(std::chrono::duration_cast<Milliseconds>(*due - now), Milliseconds(0), kLongestSleep));
}

void DeliveryQueue::on_result(AttemptResult result) {
  if (!result.report) return retry_unreadable(result);
  const bool expired = result.batch.expired;
  if (!expired) adapt(result);
  auto recording = std::make_shared<Recording>();
  recording->settlement = expired ? rules_.settle_expired(result, ports_.now()) : rules_.settle(result, ports_.now());
  const std::vector<RecipientUpdate>& updates = recording->settlement.record.updates;
  for (std::size_t i = 0; i < updates.size(); ++i) {
    if (ports_.on_outcome && is_final(updates[i].state)) ports_.on_outcome(result.message, updates[i].state);
    pulse_.on_outcome(result.batch.destination, updates[i].state, updates[i].reason, ports_.now());
    log_outcome(result, updates[i], recording->settlement.bounce_classes[i]);
  }
  answer_watcher(result, *recording);
  recording->batch = std::move(result.batch);
  recording->message = std::move(result.message);
  compose_reports(*recording);
  seal_reports(std::move(recording));
}

// A message that cannot be read now is neither delivered nor lost: it is tried again, and somebody is told.
void DeliveryQueue::retry_unreadable(const AttemptResult& result) {
  stop_watching(result.batch.message);
  const Error& error = result.report.error();
  const bool wanted = scheduler_.finished(result.batch.message, result.batch.domain, result.batch.ordinals);
  if (error.kind == ErrorKind::NotFound || !wanted) return run_due();  // it left the queue meanwhile
  log_.write(Severity::Error, "message_unreadable", {{"id", result.batch.message.str()}, {"reason", error.detail}});
  const bool known = result.message.id == result.batch.message;
  const WallTime expires = known ? result.message.expires : WallTime::max();
  const std::string tenant = known ? result.message.tenant : std::string();
  for (const std::uint32_t ordinal : result.batch.ordinals) {
    const WallTime again = ports_.now() + kUnreadableRetry;
    add({result.batch.message, ordinal, result.batch.domain, 0, again, expires, tenant});
  }
  run_due();
}

void DeliveryQueue::compose_reports(Recording& recording) {
  if (recording.settlement.reported.empty()) return;
  recording.unsealed = composer_.compose(recording.message, recording.settlement.reported, ports_.now());
}

// Reports are signed one after the other; then everything is recorded together.
void DeliveryQueue::seal_reports(std::shared_ptr<Recording> recording) {
  if (recording->unsealed.empty()) return record(std::move(recording));
  QueuedMessage report = std::move(recording->unsealed.back());
  recording->unsealed.pop_back();
  ports_.seal_report(std::move(report), [this, recording](QueuedMessage sealed) {
    recording->settlement.record.reports.push_back(std::move(sealed));
    seal_reports(recording);
  });
}

void DeliveryQueue::record(std::shared_ptr<Recording> recording) {
  ports_.record(recording->settlement.record,
                [this, recording](const Result<std::vector<QueueId>>& removed) { on_recorded(recording, removed); });
}

void DeliveryQueue::on_recorded(const std::shared_ptr<Recording>& recording,
                                const Result<std::vector<QueueId>>& removed) {
  const DueBatch& batch = recording->batch;
  std::vector<QueuedMessage>& reports = recording->settlement.record.reports;
  if (!removed) {
    // The store works and refuses this record: better the outcomes without their report than none, for what is not
    // recorded is sent again.
    const bool had_reports = !reports.empty();
    reports.clear();
    if (had_reports && removed.error().kind != ErrorKind::Unavailable) {
      log_.write(Severity::Error, "report_not_recorded",
                 {{"about", batch.message.str()}, {"reason", removed.error().detail}});
      return record(recording);
    }
  }
  // What is not recorded stays in the queue, and is told by a report.
  if (recording->watcher) recording->watcher(removed ? recording->first : FirstOutcome());
  const bool wanted = scheduler_.finished(batch.message, batch.domain, batch.ordinals);
  if (wanted)
    for (const WaitingRecipient& recipient : recording->settlement.again) add(recipient);
  if (!removed) {
    on_refused({batch.message, std::move(recording->settlement.record)}, removed.error());
    return run_due();
  }
  for (const QueuedMessage& report : reports) {
    log_.write(Severity::Info, "report_queued", {{"id", report.id.str()}, {"about", batch.message.str()}});
    for (const QueuedRecipient& recipient : report.recipients) add(waiting_recipient(report, recipient));
  }
  finish_messages(*removed);
  run_due();
}

void DeliveryQueue::finish_messages(const std::vector<QueueId>& removed) {
  for (const QueueId id : removed) {
    scheduler_.forget(id);
    log_.write(Severity::Info, "message_finished", {{"id", id.str()}});
  }
}

// Recipients that are tried again anyway have their next outcome recorded; of the others there is none but this.
void DeliveryQueue::on_refused(UnrecordedOutcomes::Outcome outcome, const Error& error) {
  std::erase_if(outcome.record.updates, [](const RecipientUpdate& update) { return !is_final(update.state); });
  const QueueId id = outcome.message;
  const bool closing = stopped_ || error.kind == ErrorKind::Unavailable;  // then the next start is the next try
  const bool is_settled = outcome.record.updates.empty();
  const auto until = closing || is_settled ? std::nullopt : unrecorded_.keep(std::move(outcome), ports_.now());
  std::string next = "with the next attempt";
  if (!is_settled) next = until ? format_timestamp(*until) : "when the relay is started again, after another delivery";
  log_.write(Severity::Error, "outcome_not_recorded",
             {{"id", id.str()}, {"recorded_again", next}, {"reason", error.detail}});
}

void DeliveryQueue::record_again() {
  for (UnrecordedOutcomes::Outcome& due : unrecorded_.take_due(ports_.now())) {
    auto outcome = std::make_shared<UnrecordedOutcomes::Outcome>(std::move(due));
    ports_.record(outcome->record, [this, outcome](const Result<std::vector<QueueId>>& removed) {
      if (!removed) {
        on_refused(std::move(*outcome), removed.error());
      } else {
        log_.write(Severity::Info, "outcome_recorded", {{"id", outcome->message.str()}});
        finish_messages(*removed);
      }
      run_due();
    });
  }
}

void DeliveryQueue::log_outcome(const AttemptResult& result, const RecipientUpdate& update,
                                std::string_view bounce_class) const {
  const Severity severity = update.state == RecipientState::Delivered ? Severity::Info : Severity::Warning;
  const QueuedMessage& message = result.message;
  const DeliveryReport& report = *result.report;
  const std::string_view level = result.batch.expired ? std::string_view() : tls_level_name(report.proven);
  log_.write(severity, state_event(update.state),
             {{"id", message.id.str()},
              {"message_id", message.message_id},
              {"from", message.reverse_path ? message.reverse_path->str() : "<>"},
              {"to", find_recipient(message, update.ordinal)->address.str()},
              {"attempts", static_cast<std::int64_t>(update.attempts)},
              {"status", update.status},
              {"class", bounce_class},
              {"route", report.route},
              {"mx", report.mx_name},
              {"peer", report.peer},
              {"source", report.source},
              {"tls", report.tls_summary},
              {"tls_level", level},
              {"tls_method", report.tls_method},
              {"reason", update.reason}});
}

void DeliveryQueue::retry(const WaitingRecipient& recipient) {
  if (unrecorded_.hurry(recipient.message, recipient.ordinal, ports_.now())) return run_due();
  apply(concurrency_.forget(destination_of(recipient)));
  add(recipient);
  run_due();
}

void DeliveryQueue::hold(QueueId id) {
  stop_watching(id);
  scheduler_.hold(id);
}

void DeliveryQueue::release(QueueId id) {
  scheduler_.release(id);
  run_due();
}

void DeliveryQueue::forget(QueueId id) {
  stop_watching(id);
  scheduler_.forget(id);
}

QueueOverview DeliveryQueue::overview(std::size_t most) const {
  QueueOverview overview;
  overview.time = ports_.now();
  overview.recipients = scheduler_.size();
  overview.active = scheduler_.active();
  pulse_.tell(overview);
  overview.destinations = heaviest(scheduler_.destination_loads(), most);
  overview.tenants = heaviest(scheduler_.tenant_loads(), most);
  for (DestinationLoad& load : overview.destinations) describe(load);
  return overview;
}

std::vector<DestinationLoad> DeliveryQueue::held_back() const {
  std::vector<DestinationLoad> loads = scheduler_.destination_loads();
  std::erase_if(loads, [](const DestinationLoad& load) { return load.active < load.limit; });
  for (DestinationLoad& load : loads) describe(load);
  return loads;
}

void DeliveryQueue::describe(DestinationLoad& load) const {
  load.paused_until = concurrency_.paused_until(load.domain);
  load.reason = pulse_.trouble_of(load.domain);
}

void DeliveryQueue::resume(const std::string& destination) {
  apply(concurrency_.forget(destination));
  run_due();
}

void DeliveryQueue::on_store_state(bool available) {
  store_available_ = available;
  run_due();
}

void DeliveryQueue::stop() {
  stopped_ = true;
  end_watches(ports_.now());
  ports_.wake_up(std::nullopt);
}

}  // namespace waxwing
