#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/mail_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/delivery/attempt_result.h"
#include "relay/delivery/first_outcome.h"
#include "relay/delivery/outcome_rules.h"
#include "relay/delivery/queue_pulse.h"
#include "relay/delivery/report_composer.h"
#include "relay/delivery/unrecorded_outcomes.h"
#include "relay/observe/event_log.h"
#include "relay/queue/attempt_record.h"
#include "relay/queue/destination_concurrency.h"
#include "relay/queue/queue_overview.h"
#include "relay/queue/queue_store.h"
#include "relay/queue/queued_message.h"
#include "relay/queue/retry_schedule.h"
#include "relay/queue/scheduler.h"

namespace waxwing {

/// Turns time into attempts and attempts into outcomes: asks the scheduler what is due, has it tried, has the result
/// settled, records that durably, and only then lets go. Has no loop, no store and no clock: all of them are ports, so
/// that the same code runs in the daemon and in simulated time. Everything is called on one thread; ports answer on it
/// too, from outside the calls that asked.
///
/// Life of a recipient: waiting -> active -> { delivered | bounced | expired } with a report to the sender where one is
/// due, or
/// -> deferred, that is waiting for its next time.
class DeliveryQueue {
 public:
  struct Options {
    std::uint64_t seed = 0;  ///< random
    Scheduler::Limits limits;
    DestinationConcurrency::Options concurrency;  ///< its `initial` is limits.active_per_destination
    OutcomeRules::Options outcomes;               ///< its seed is `seed`
  };
  struct Ports {
    std::function<WallTime()> now;
    /// Calls run_due() when so much time has passed, instead of when it was asked for before; no value: not at all.
    std::function<void(std::optional<Milliseconds>)> wake_up;
    /// Starts an attempt somewhere; its result must come back through on_result() exactly once.
    std::function<void(DueBatch)> start_attempt;
    /// Loads a message without its body, for recipients whose time is over; the same contract.
    std::function<void(DueBatch)> load_expired;
    /// Signs a report of ours; calls back exactly once, with the header to use.
    std::function<void(QueuedMessage, std::function<void(QueuedMessage)>)> seal_report;
    /// Makes a record durable; calls back exactly once, with the ids of messages that have left the queue.
    using Recorded = std::function<void(Result<std::vector<QueueId>>)>;
    std::function<void(AttemptRecord, Recorded)> record;
    /// Hears of each recipient of which nothing will come any more; may be empty.
    std::function<void(const QueuedMessage&, RecipientState)> on_outcome{};
    /// Whose slots mail of a tenant for a domain takes, by WaitingRecipient::destination; may be empty.
    std::function<std::string(const std::string& tenant, const std::string& domain)> destination{};
  };

  /// @param composer  outlives it
  DeliveryQueue(ReportComposer& composer, EventLog& log, RetrySchedule schedule, Options options, Ports ports);

  /// Takes over what waited when the relay stopped.
  [[nodiscard]] Result<void> load(QueueStore& store);

  /// Takes over a message that has just become durable. Recipients that are held are left to an operator.
  void enqueue(const QueuedMessage& message);

  /// Hears what the first attempt came to, exactly once.
  using Watcher = std::function<void(const FirstOutcome&)>;
  /// As enqueue(), for a client that waits: until the first attempt is recorded, but no longer than `patience`. What can
  /// not be told in time, or not in one answer, is told as Queued, and then by reports as always. Where it is told as
  /// Refused, the sender gets no report.
  void enqueue(const QueuedMessage& message, Milliseconds patience, Watcher watcher);

  /// The client has gone: its watcher hears Queued, unless it has heard or is about to hear the outcome.
  void stop_watching(QueueId id);

  /// Begins the attempts whose time has come.
  void run_due();

  void on_result(AttemptResult result);

  /// An operator made a recipient due. One whose outcome is known and could not be recorded is not tried again: that is
  /// recorded now.
  void retry(const WaitingRecipient& recipient);
  /// An operator wants a message neither tried nor given up until release(); attempts under way go on.
  void hold(QueueId id);
  /// Undoes hold(). What the store says of its recipients now, their new end above all, must have come by retry() before.
  void release(QueueId id);
  /// An operator took a message out of the queue.
  void forget(QueueId id);

  /// Tries a destination that is paused, because an operator has mended something.
  void resume(const std::string& destination);

  /// The store works again, or does not: without it no attempt begins.
  void on_store_state(bool available);

  /// Begins no more attempts.
  void stop();

  /// Attempts whose outcome is not recorded yet.
  [[nodiscard]] std::size_t active() const { return scheduler_.active(); }
  [[nodiscard]] std::size_t waiting() const { return scheduler_.size(); }

  /// The queue as it is, with the domains that most recipients wait for, at most `most` of them, and as many tenants.
  /// @limits  O(domains and tenants of what waits)
  [[nodiscard]] QueueOverview overview(std::size_t most) const;
  /// Domains of which mail waits because they are paused, or have as many attempts under way as they may.
  [[nodiscard]] std::vector<DestinationLoad> held_back() const;

 private:
  struct Recording;

  struct Watch {
    WallTime until;
    Watcher watcher;
    std::size_t recipients = 0;  // of the message
  };

  void heed_clock(WallTime now);
  void end_watches(WallTime now);
  [[nodiscard]] Watch take_watch(QueueId id);
  void answer_watcher(const AttemptResult& result, Recording& recording);
  void add(WaitingRecipient recipient);
  [[nodiscard]] std::string destination_of(const WaitingRecipient& recipient) const;
  void adapt(const AttemptResult& result);
  void apply(const std::vector<DestinationConcurrency::Change>& changes);
  void schedule_wake_up();
  void retry_unreadable(const AttemptResult& result);
  void compose_reports(Recording& recording);
  void seal_reports(std::shared_ptr<Recording> recording);
  void record(std::shared_ptr<Recording> recording);
  void on_recorded(const std::shared_ptr<Recording>& recording, const Result<std::vector<QueueId>>& removed);
  void on_refused(UnrecordedOutcomes::Outcome outcome, const Error& error);
  void record_again();
  void finish_messages(const std::vector<QueueId>& removed);
  void describe(DestinationLoad& load) const;
  void log_outcome(const AttemptResult& result, const RecipientUpdate& update, std::string_view bounce_class) const;

  ReportComposer& composer_;
  EventLog& log_;
  Options options_;
  Ports ports_;
  OutcomeRules rules_;
  DestinationConcurrency concurrency_;
  Scheduler scheduler_;
  UnrecordedOutcomes unrecorded_;
  std::unordered_map<std::uint64_t, Watch> watches_;  // by message; as many as clients wait
  std::set<std::pair<WallTime, std::uint64_t>> watch_ends_;
  WallTime latest_seen_{};
  QueuePulse pulse_;
  bool stopped_ = false;
  bool store_available_ = true;
};

}  // namespace waxwing
