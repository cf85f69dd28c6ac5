#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// What became of one recipient in one attempt.
struct RecipientUpdate {
  QueueId message;
  std::uint32_t ordinal = 0;
  RecipientState state = RecipientState::Deferred;
  std::uint32_t attempts = 0;
  WallTime next_attempt;
  std::string status;
  std::string reason;
  std::string report;       ///< DeliveryReport as JSON
  bool delay_told = false;  ///< a report of the delay has been made
};

/// What a waiting recipient needs to be scheduled; small, since a million of them are kept in memory.
struct WaitingRecipient {
  QueueId message;
  std::uint32_t ordinal = 0;
  std::string domain;
  std::uint32_t attempts = 0;
  WallTime next_attempt;
  WallTime expires;
  std::string tenant{};   ///< of the account that submitted
  WallTime not_before{};  ///< QueuedRecipient::not_before
  /// Whose slots its attempts take, where that is not its domain: many domains may have the same hosts. Not stored, and
  /// the same for all recipients of a tenant and domain.
  std::string destination{};
};

/// Filters of `queue list`; all that are set must hold.
struct QueueFilter {
  std::optional<QueueId> id;
  std::optional<QueueId> after;  ///< only younger ones, to go on where a list ended
  std::string domain;            ///< recipient domain; empty: any
  std::string account;           ///< empty: any
  std::string tenant;            ///< of the account; empty: any
  std::string sender;            ///< envelope sender as MailAddress::str(), "<>" for none; empty: any
  std::string reason;            ///< part of the reason of a recipient; empty: any
  std::optional<WallTime> accepted_before;
  std::size_t limit = 10'000;
};

/// The durable queue: the port that the relay is written against. Not thread-safe; one thread owns it. Changes between
/// begin() and commit() become durable together or not at all.
class QueueStore {
 public:
  virtual ~QueueStore() = default;

  /// Opens a batch of changes.
  [[nodiscard]] virtual Result<void> begin() = 0;

  /// Makes the batch durable: when it returns without error, the changes survive power loss.
  /// @errors  Exhausted: disk full, nothing of the batch is there; anything else: it is not known whether the batch is
  ///          there. After any error the store must be closed and opened anew.
  [[nodiscard]] virtual Result<void> commit() = 0;

  /// Adds a message with its recipients. A spooled body must have reached the disk before commit(), which sees to it.
  /// Adding an id that is there already changes nothing and succeeds, so that a batch of unknown fate can be repeated.
  /// @errors  Conflict: its account has a message with this submission key
  [[nodiscard]] virtual Result<void> add(const QueuedMessage& message) = 0;

  /// Notes the result of an attempt. A recipient that is Held stays so, with its reason, when an attempt that was under
  /// way ends Deferred.
  /// @errors  NotFound: no such recipient
  [[nodiscard]] virtual Result<void> update(const RecipientUpdate& update) = 0;

  /// Gives a released message its new end, and has it sealed anew unless it came from elsewhere.
  /// @errors  NotFound: no such message
  [[nodiscard]] virtual Result<void> renew(QueueId id, WallTime expires) = 0;

  /// Removes a message whose recipients are all final, its spool file with it (after commit()).
  [[nodiscard]] virtual Result<void> remove(QueueId id) = 0;

  /// Reads one message with its recipients; the body only when inline.
  /// @errors  NotFound; Corrupt: a value in the row is not what was written
  [[nodiscard]] virtual Result<QueuedMessage> load(QueueId id) = 0;

  /// Calls `each` for every recipient that is Queued or Deferred, by message and ordinal; for the start of the relay.
  [[nodiscard]] virtual Result<void> each_waiting(const std::function<void(const WaitingRecipient&)>& each) = 0;

  /// Messages that match, oldest first, without header, body and delivery reports.
  [[nodiscard]] virtual Result<std::vector<QueuedMessage>> list(const QueueFilter& filter) = 0;
};

}  // namespace waxwing
