#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/result.h"
#include "relay/observe/event_log.h"
#include "relay/queue/destination_concurrency.h"
#include "relay/queue/retry_schedule.h"
#include "relay/queue/scheduler.h"
#include "relay/store/store_thread.h"
#include "transport/delivery/delivery_agent.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// What came of one attempt.
struct AttemptResult {
  DueBatch batch;
  QueuedMessage message;  ///< with all its recipients; header for bounces, no body; empty if it could not be read
  std::vector<std::uint32_t> tried;  ///< recipients of the report in its order: those of the batch that still waited
  Result<DeliveryReport> report;     ///< Error: the message could not be read, so that nothing was tried
};

/// Turns time into attempts and attempts into outcomes: asks the scheduler what is due, has it tried, decides what each
/// result means for the recipient, records that durably, and only then lets go. Lives on one event loop; the attempts
/// run elsewhere.
///
/// Life of a recipient: waiting -> active -> { delivered | bounced | expired } with a report to the sender where one is
/// due, or
/// -> deferred, that is waiting for its next time.
class DeliveryQueue {
 public:
  struct Options {
    std::string hostname;
    Seconds report_lifetime{0};     ///< of delivery status notifications
    Seconds delay_report_after{0};  ///< in the queue, before a sender that asked for it is told of the delay
    std::uint64_t seed = 0;         ///< random: spreads retries
    Scheduler::Limits limits;
    DestinationConcurrency::Options concurrency;  ///< its `initial` is limits.active_per_domain
    bool count_tls_results = false;               ///< for reports about TLS
    /// Whether a mailbox that turns out to be bad is suppressed for the tenant; empty: for none.
    std::function<bool(const std::string& tenant)> suppresses_bad_mailboxes{};
    Seconds suppress_for{0};
  };
  /// Starts an attempt somewhere; its result must come back through on_result(), on the loop's thread, exactly once.
  using StartAttempt = std::function<void(DueBatch)>;
  /// Loads a message without its body, for recipients whose time is over; same contract as StartAttempt.
  using LoadExpired = std::function<void(DueBatch)>;
  /// Signs a report of ours; calls back on the loop's thread, exactly once, with the header to use.
  using SealReport = std::function<void(QueuedMessage, std::function<void(QueuedMessage)>)>;
  /// Who is told of a failure: the sender that an envelope sender of ours was made from, else the same.
  using OriginalSender = std::function<MailAddress(const MailAddress&)>;
  struct Ports {
    StartAttempt start_attempt;
    LoadExpired load_expired;
    SealReport seal_report;
    OriginalSender original_sender{};  ///< empty: senders are not rewritten
    /// Hears of each recipient of which nothing will come any more; may be empty.
    std::function<void(const QueuedMessage&, RecipientState)> on_outcome{};
  };

  DeliveryQueue(EventLoop& loop, StoreThread& store, QueueIdSource& ids, EventLog& log, RetrySchedule schedule,
                Options options, Ports ports);

  /// Takes over what waited when the relay stopped; before the loop runs.
  [[nodiscard]] Result<void> load(QueueStore& store);

  /// Takes over a message that has just become durable. Recipients that are held are left to an operator.
  void enqueue(const QueuedMessage& message);

  void on_result(AttemptResult result);

  /// An operator made a recipient due.
  void retry(const WaitingRecipient& recipient);
  /// An operator wants a message neither tried nor given up until release(); attempts under way go on.
  void hold(QueueId id);
  /// Undoes hold(); recipients that this relay has not seen since its start are added by retry().
  void release(QueueId id);
  /// An operator took a message out of the queue.
  void forget(QueueId id);

  /// The store works again, or does not: without it no attempt begins.
  void on_store_state(bool available);

  /// Begins no more attempts.
  void stop();

  /// Attempts whose outcome is not recorded yet.
  [[nodiscard]] std::size_t active() const { return scheduler_.active(); }
  [[nodiscard]] std::size_t waiting() const { return scheduler_.size(); }

 private:
  struct Settlement;

  void run_due();
  void adapt(const AttemptResult& result);
  void apply(const std::vector<DestinationConcurrency::Change>& changes);
  void schedule_wake_up();
  void settle_recipient(const AttemptResult& result, const QueuedRecipient& recipient, const RecipientOutcome& outcome,
                        Settlement& settlement);
  void report(const QueuedMessage& message, const QueuedRecipient& recipient, const RecipientOutcome& outcome,
              const DeliveryReport& delivery, RecipientUpdate& update, Settlement& settlement) const;
  void suppress(const QueuedMessage& message, const QueuedRecipient& recipient, const RecipientUpdate& update,
                Settlement& settlement) const;
  void count_tls_results(const AttemptResult& result, Settlement& settlement) const;
  void settle_unreadable(const AttemptResult& result);
  void settle_expired(const AttemptResult& result);
  void seal_reports(std::shared_ptr<Settlement> settlement);
  void record(std::shared_ptr<Settlement> settlement);
  void on_recorded(const std::shared_ptr<Settlement>& settlement, const Result<std::vector<QueueId>>& removed);
  void log_outcome(const QueuedMessage& message, const QueuedRecipient& recipient, const RecipientUpdate& update,
                   const DeliveryReport* report, std::string_view bounce_class);

  EventLoop& loop_;
  StoreThread& store_;
  QueueIdSource& ids_;
  EventLog& log_;
  RetrySchedule schedule_;
  Options options_;
  Ports ports_;
  DestinationConcurrency concurrency_;
  Scheduler scheduler_;
  Timer wake_up_;
  bool stopped_ = false;
  bool store_available_ = true;
  std::uint64_t reports_made_ = 0;
};

}  // namespace waxwing
