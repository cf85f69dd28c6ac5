#include "relay/store/store_thread.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace waxwing {
namespace {

// Nobody waits for the record of an attempt as a client waits for its reply. While submissions come, one of them brings
// the next sync within this time, so that a record need not cost one of its own.
constexpr Milliseconds kRecordPatience{2};
// Submissions come as long as the last one is no older.
constexpr Milliseconds kSubmissionsFlow{50};

MonotonicTime monotonic_now() {
  return std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now());
}

}  // namespace

class StoreThread::Worker {
 public:
  Worker(std::unique_ptr<SqliteQueueStore> store, Options options)
      : group_commit_(std::move(store), std::move(options)), thread_([this] { run(); }) {}

  // Hands an item over; gives it back when the thread has stopped or too many submissions wait.
  std::optional<std::pair<StoreItem, Error>> post(StoreItem item) {
    const bool is_add = std::holds_alternative<StoreAdd>(item);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return std::pair(std::move(item), Error{ErrorKind::Unavailable, "the queue is being closed"});
      if (is_add && pending_adds_ >= kMaxPendingAdds) {
        return std::pair(std::move(item),
                         Error{ErrorKind::Exhausted, "too many messages wait to be written to the disk"});
      }
      if (is_add) {
        ++pending_adds_;
        last_add_ = std::chrono::steady_clock::now();
      }
      if (std::holds_alternative<StoreWork>(item)) ++pending_work_;
      mailbox_.push_back(std::move(item));
    }
    wake_.notify_one();
    return std::nullopt;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    const std::lock_guard lock(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] const GroupCommit& group_commit() const { return group_commit_; }

 private:
  void run();
  [[nodiscard]] std::vector<StoreItem> wait_for_items();

  GroupCommit group_commit_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<StoreItem> mailbox_;                                  // guarded by mutex_
  std::size_t pending_adds_ = 0;                                   // guarded by mutex_
  std::size_t pending_work_ = 0;                                   // guarded by mutex_
  std::optional<std::chrono::steady_clock::time_point> last_add_;  // guarded by mutex_
  bool stopping_ = false;                                          // guarded by mutex_
  std::mutex join_mutex_;

  std::thread thread_;  // last: it uses everything above
};

void StoreThread::Worker::run() {
  for (;;) {
    std::vector<StoreItem> batch = wait_for_items();
    group_commit_.recover(monotonic_now());
    if (!batch.empty()) {
      group_commit_.process(std::move(batch), monotonic_now());
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (stopping_ && mailbox_.empty()) break;
  }
  group_commit_.finish(monotonic_now());
}

// Waits for something to do; empty when it is time to recover or to stop.
std::vector<StoreItem> StoreThread::Worker::wait_for_items() {
  std::unique_lock lock(mutex_);
  const auto has_work = [&] { return stopping_ || !mailbox_.empty(); };
  if (const auto recovery = group_commit_.next_recovery()) {
    wake_.wait_until(lock, *recovery, has_work);
  } else {
    wake_.wait(lock, has_work);
    if (last_add_ && std::chrono::steady_clock::now() - *last_add_ < kSubmissionsFlow)
      wake_.wait_for(lock, kRecordPatience, [&] { return stopping_ || pending_adds_ > 0 || pending_work_ > 0; });
  }
  std::vector<StoreItem> items;
  while (!mailbox_.empty() && items.size() < kMaxBatchItems) {
    if (std::holds_alternative<StoreAdd>(mailbox_.front())) --pending_adds_;
    if (std::holds_alternative<StoreWork>(mailbox_.front())) --pending_work_;
    items.push_back(std::move(mailbox_.front()));
    mailbox_.pop_front();
  }
  return items;
}

StoreThread::StoreThread(std::unique_ptr<SqliteQueueStore> store, Options options)
    : worker_(std::make_unique<Worker>(std::move(store), std::move(options))) {}

StoreThread::~StoreThread() {
  stop();
}

void StoreThread::add(std::shared_ptr<const QueuedMessage> message, std::optional<SpoolFile> body, Done done) {
  auto back = worker_->post(StoreAdd{std::move(message), std::move(body), std::move(done), {}});
  if (back) std::get<StoreAdd>(back->first).done(tl::unexpected(std::move(back->second)));
}

void StoreThread::record(AttemptRecord record, Recorded done) {
  auto back = worker_->post(StoreRecord{std::move(record), std::move(done), {}});
  if (back) std::get<StoreRecord>(back->first).done(tl::unexpected(std::move(back->second)));
}

void StoreThread::run(std::function<Result<void>(SqliteQueueStore&)> work, Done done) {
  auto back = worker_->post(StoreWork{std::move(work), std::move(done), {}});
  if (back) std::get<StoreWork>(back->first).done(tl::unexpected(std::move(back->second)));
}

bool StoreThread::available() const {
  return worker_->group_commit().available();
}

void StoreThread::stop() {
  worker_->stop();
}

std::uint64_t StoreThread::commits() const {
  return worker_->group_commit().commits();
}

}  // namespace waxwing
