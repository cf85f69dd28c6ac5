#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/time_point.h"
#include "relay/delivery/attempt_result.h"
#include "relay/queue/attempt_record.h"
#include "relay/queue/bounce.h"
#include "relay/queue/destination_concurrency.h"
#include "relay/queue/queue_store.h"
#include "relay/queue/queued_message.h"
#include "relay/queue/retry_schedule.h"

namespace waxwing {

/// What one attempt changes: recorded as one, acted on when that is durable.
struct Settlement {
  AttemptRecord record;                          ///< without reports, which are still to be composed
  std::vector<std::string_view> bounce_classes;  ///< of record.updates, in their order; empty: no failure of an attempt
  std::vector<ReportedRecipient> reported;       ///< of what the sender is to learn
  std::vector<WaitingRecipient> again;           ///< to be tried again
};

/// Decides what an outcome means for a recipient and for its sender. Here, and nowhere else, is a temporary failure told
/// from a final one. Pure: time is what the caller says.
class OutcomeRules {
 public:
  struct Options {
    Seconds delay_report_after{0};   ///< in the queue, before a sender that asked for it is told of the delay
    std::uint64_t seed = 0;          ///< random: spreads retries
    bool count_tls_results = false;  ///< for reports about TLS
    /// Whether a mailbox that turns out to be bad is suppressed for the tenant; empty: for none.
    std::function<bool(const std::string& tenant)> suppresses_bad_mailboxes{};
    Seconds suppress_for{0};
  };

  OutcomeRules(RetrySchedule schedule, Options options);

  /// Settles the recipients that were tried.
  /// @param result  with a report
  [[nodiscard]] Settlement settle(const AttemptResult& result, WallTime now) const;

  /// Gives up the recipients of the batch that still wait, since their time is over; nothing was tried.
  [[nodiscard]] Settlement settle_expired(const AttemptResult& result, WallTime now) const;

  /// Nobody waits longer for the next attempt, but who asked for it, or waits for a source of ours: that one is looked
  /// at again for nothing.
  [[nodiscard]] Milliseconds longest_delay() const { return schedule_.longest(); }

 private:
  void settle_recipient(const AttemptResult& result, const QueuedRecipient& recipient, const RecipientOutcome& outcome,
                        WallTime now, Settlement& settlement) const;
  void defer(const AttemptResult& result, const QueuedRecipient& recipient, const RecipientOutcome& outcome,
             WallTime now, RecipientUpdate& update) const;
  void suppress(const QueuedMessage& message, const QueuedRecipient& recipient, const RecipientUpdate& update,
                WallTime now, Settlement& settlement) const;
  void report(const QueuedMessage& message, const QueuedRecipient& recipient, const RecipientOutcome& outcome,
              std::string_view mx_name, WallTime now, RecipientUpdate& update, Settlement& settlement) const;

  RetrySchedule schedule_;
  Options options_;
};

/// What an attempt found out about how much the hosts of its destination bear. That a host proves the wrong thing, or
/// that DNS does not answer, is no matter of how many try.
[[nodiscard]] DestinationConcurrency::Feedback concurrency_feedback(const DeliveryReport& report);

/// What the scheduler needs to know of a recipient that waits.
[[nodiscard]] WaitingRecipient waiting_recipient(const QueuedMessage& message, const QueuedRecipient& recipient);

/// nullptr: the message has no such recipient.
[[nodiscard]] const QueuedRecipient* find_recipient(const QueuedMessage& message, std::uint32_t ordinal);

}  // namespace waxwing
