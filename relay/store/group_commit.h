#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/attempt_record.h"
#include "relay/queue/queued_message.h"
#include "relay/store/disk_reserve.h"
#include "relay/store/spool_file.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

using StoreDone = std::function<void(Result<void>)>;
/// @param  ids of messages that have left the queue, since no recipient waits any more
using StoreRecorded = std::function<void(Result<std::vector<QueueId>>)>;

/// A submission to be made durable.
struct StoreAdd {
  std::shared_ptr<const QueuedMessage> message;
  std::optional<SpoolFile> body;  ///< when the message is spooled
  StoreDone done;
  Result<void> result{};
};

/// The outcome of an attempt to be recorded.
struct StoreRecord {
  AttemptRecord record;
  StoreRecorded done;
  Result<std::vector<QueueId>> result{};
};

/// Any other change.
struct StoreWork {
  std::function<Result<void>(SqliteQueueStore&)> work;
  StoreDone done;
  Result<void> result{};
};

using StoreItem = std::variant<StoreAdd, StoreRecord, StoreWork>;

/// Writes what it is given as batches, each committed once, and answers each item exactly once: after the commit, in the
/// order in which they came. Without thread and clock; StoreThread gives it both.
///
/// When the store fails, submissions and other work are answered with the error; records are kept. The database is closed
/// and opened anew (at once, then every `reopen_interval`; after twice as long each time while it is damaged or fails as soon
/// as it is used, up to kLongestReopen). Then submissions that were refused and may have reached the
/// disk are removed, and the records are written first, since losing one would send mail twice.
class GroupCommit {
 public:
  struct Options {
    /// Called when the store fails, each time that reopening fails for another reason, and with no error when it works
    /// again.
    std::function<void(const std::optional<Error>&)> on_state;
    Milliseconds reopen_interval{1'000};
  };

  GroupCommit(std::unique_ptr<SqliteQueueStore> store, Options options);

  /// Writes and commits; blocks as long as the disk takes.
  void process(std::vector<StoreItem> batch, MonotonicTime now);

  /// When recover() should be called; no value: the store works.
  [[nodiscard]] std::optional<MonotonicTime> next_recovery() const;

  /// Opens the store anew, if it is time.
  void recover(MonotonicTime now);

  /// Ends: one more try for what has not been written, then its owners are told, and the store is closed. Nothing else
  /// may be called afterwards but available() and commits().
  void finish(MonotonicTime now);

  /// Whether the store works; to be called from any thread.
  [[nodiscard]] bool available() const { return available_.load(); }
  /// Batches committed so far; to be called from any thread.
  [[nodiscard]] std::uint64_t commits() const { return commits_.load(); }

 private:
  [[nodiscard]] Result<void> write(std::vector<StoreItem>& batch);
  void refuse(std::vector<StoreItem> batch);
  void fail_batch(std::vector<StoreItem> batch, const Error& error, MonotonicTime now);
  void fail_store(const Error& error, MonotonicTime now);
  void reopen(MonotonicTime now);
  [[nodiscard]] Milliseconds reopen_pause() const;
  [[nodiscard]] Result<void> try_to_reopen();
  [[nodiscard]] Result<void> write_kept_records();

  std::unique_ptr<SqliteQueueStore> store_;
  Options options_;
  std::atomic<bool> available_{true};
  std::atomic<std::uint64_t> commits_{0};
  std::optional<Error> failure_;  // why the store does not work
  MonotonicTime next_recovery_;   // while it does not
  bool is_proven_ = true;         // a batch has been committed since it was opened
  unsigned fruitless_ = 0;        // reopenings in a row that found it damaged, or were followed by a failure at once
  std::vector<StoreItem> kept_records_;  // to be written first when it works again
  std::vector<QueueId> refused_;         // submissions that were refused, but may have reached the disk
  DiskReserve reserve_;
  MonotonicTime next_reserve_;  // when to see to it again
};

/// A disk is looked at soon enough to go on when it is back; damage passes by nobody waiting.
inline constexpr Milliseconds kLongestReopen{60'000};

}  // namespace waxwing
