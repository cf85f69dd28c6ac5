#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/attempt_record.h"
#include "relay/queue/queued_message.h"
#include "relay/store/group_commit.h"
#include "relay/store/spool_file.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

/// The thread that writes to the store. What arrives while a commit runs becomes one batch (GroupCommit), and the
/// callbacks are called on the store thread. All functions may be called from any thread and never block.
class StoreThread {
 public:
  using Done = StoreDone;
  using Recorded = StoreRecorded;
  using Options = GroupCommit::Options;  ///< its callback comes on the store thread

  StoreThread(std::unique_ptr<SqliteQueueStore> store, Options options);
  ~StoreThread();  ///< stop()
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  /// Makes a message durable.
  /// @param body  its spool file, when it is spooled
  /// @param done  success: durable. Any error: the sender must be told that the message was not accepted (452 for
  ///              Exhausted, else 451), and it will not be delivered, unless a crash comes first: then it may be, for a
  ///              failed commit can be on the disk.
  void add(std::shared_ptr<const QueuedMessage> message, std::optional<SpoolFile> body, Done done);

  /// Records the outcome of an attempt, and removes messages for which nobody waits any more. An update whose message
  /// is gone (dropped meanwhile) is passed over. While submissions come, it may wait 2 ms for one, to share its sync.
  /// @param done  an error only for a record that the store refuses as such, or when stop() came while the store failed
  void record(AttemptRecord record, Recorded done);

  /// Runs `work` on the store thread inside a batch, for administration, accounts and MTA-STS policies. An error that
  /// it returns undoes its changes. It must not keep the reference, nor begin or commit.
  /// @param done  success: what it did is durable; an error of the store: what it did may be there nevertheless
  void run(std::function<Result<void>(SqliteQueueStore&)> work, Done done);

  /// Whether the store works. While it does not, no new attempts should be started, since their outcome cannot be
  /// recorded.
  [[nodiscard]] bool available() const;

  /// Commits what has arrived and ends the thread. Calls that come later are answered with Unavailable, on their own
  /// thread.
  void stop();

  /// Batches committed so far, for metrics.
  [[nodiscard]] std::uint64_t commits() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

/// Submissions that may wait for the store thread; more are answered with Exhausted.
inline constexpr std::size_t kMaxPendingAdds = 10'000;
/// Items in one transaction.
inline constexpr std::size_t kMaxBatchItems = 1'000;

}  // namespace waxwing
