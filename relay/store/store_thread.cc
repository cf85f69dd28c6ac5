#include "relay/store/store_thread.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "relay/store/disk_reserve.h"
#include "relay/store/disk_space.h"
#include "relay/store/suppression_store.h"
#include "relay/store/tls_result_store.h"

namespace waxwing {
namespace {

using Clock = std::chrono::steady_clock;

// How often it is looked whether the reserve is there.
constexpr std::chrono::seconds kReserveInterval{10};
// Records that are written together after a failure.
constexpr std::size_t kRecoverySlice = 50;

struct Add {
  std::shared_ptr<const QueuedMessage> message;
  std::optional<SpoolFile> body;
  StoreThread::Done done;
  Result<void> result;
};

struct Record {
  AttemptRecord record;
  StoreThread::Recorded done;
  Result<std::vector<QueueId>> result;
};

struct Work {
  std::function<Result<void>(SqliteQueueStore&)> work;
  StoreThread::Done done;
  Result<void> result;
};

using Item = std::variant<Add, Record, Work>;

Result<void> apply(SqliteQueueStore& store, Add& item) {
  if (item.body) {
    if (auto sealed = item.body->seal(); !sealed) return sealed;
  }
  return store.apart([&] { return store.add(*item.message); });
}

// Records all of it; fills `removed` with the messages that nobody waits for any more.
Result<void> apply_record(SqliteQueueStore& store, const AttemptRecord& record, std::vector<QueueId>& removed) {
  std::vector<QueueId> touched;
  for (const RecipientUpdate& update : record.updates) {
    if (auto updated = store.update(update); !updated) {
      if (updated.error().kind == ErrorKind::NotFound)
        continue;  // dropped meanwhile, or recorded in a batch of unknown fate
      return updated;
    }
    if (is_final(update.state)) touched.push_back(update.message);
  }
  for (const QueuedMessage& report : record.reports) {
    if (auto added = store.add(report); !added) return added;
  }
  std::ranges::sort(touched);
  const auto repeated = std::ranges::unique(touched);
  touched.erase(repeated.begin(), repeated.end());
  for (const QueueId id : touched) {
    auto gone = store.remove(id);
    if (gone) removed.push_back(id);
    if (!gone && gone.error().kind != ErrorKind::Conflict) return gone;  // Conflict: others still wait
  }
  return {};
}

Result<void> apply(SqliteQueueStore& store, Record& item) {
  std::vector<QueueId> removed;
  auto recorded = store.apart([&] { return apply_record(store, item.record, removed); });
  if (!recorded) return recorded;
  item.result = std::move(removed);
  if (const auto& counted = item.record.tls_results) {
    const auto added =
        store.apart([&] { return store.tls_results().add(counted->time, counted->domain, counted->results); });
    if (!added && store.needs_reopen()) return added;
  }
  for (const Suppression& suppression : item.record.suppressions) {
    const auto kept = store.apart([&] { return store.suppressions().keep(suppression); });
    if (!kept && store.needs_reopen()) return kept;
  }
  return recorded;
}

Result<void> apply(SqliteQueueStore& store, Work& item) {
  return store.apart([&] { return item.work(store); });
}

}  // namespace

class StoreThread::Worker {
 public:
  Worker(std::unique_ptr<SqliteQueueStore> store, Options options)
      : store_(std::move(store)),
        options_(std::move(options)),
        reserve_(store_->state_directory()),
        thread_([this] { run(); }) {}

  // Hands an item over; gives it back when the thread has stopped or too many submissions wait.
  std::optional<std::pair<Item, Error>> post(Item item) {
    const bool is_add = std::holds_alternative<Add>(item);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return std::pair(std::move(item), Error{ErrorKind::Unavailable, "the queue is being closed"});
      if (is_add && pending_adds_ >= kMaxPendingAdds) {
        return std::pair(std::move(item),
                         Error{ErrorKind::Exhausted, "too many messages wait to be written to the disk"});
      }
      if (is_add) ++pending_adds_;
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

  [[nodiscard]] bool available() const { return available_.load(); }
  [[nodiscard]] std::uint64_t commits() const { return commits_.load(); }

 private:
  void run();
  [[nodiscard]] std::vector<Item> wait_for_items();
  void process(std::vector<Item> batch);
  [[nodiscard]] Result<void> write(std::vector<Item>& batch);
  void refuse(std::vector<Item> batch);
  void fail_batch(std::vector<Item> batch, const Error& error);
  void fail_store(const Error& error);
  void try_to_recover();
  [[nodiscard]] Result<void> recover();
  [[nodiscard]] Result<void> write_kept_records();
  void give_up();

  std::unique_ptr<SqliteQueueStore> store_;
  Options options_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> mailbox_;      // guarded by mutex_
  std::size_t pending_adds_ = 0;  // guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  std::mutex join_mutex_;

  std::atomic<bool> available_{true};
  std::atomic<std::uint64_t> commits_{0};

  // Of the thread alone.
  std::optional<Error> failure_;     // why the store does not work
  Clock::time_point next_recovery_;  // while it does not
  std::vector<Item> kept_records_;   // to be written first when it works again
  std::vector<QueueId> refused_;     // submissions that were refused, but may have reached the disk
  DiskReserve reserve_;
  Clock::time_point next_reserve_;  // when to see to it again

  std::thread thread_;  // last: it uses everything above
};

void StoreThread::Worker::run() {
  reserve_.ensure();
  for (;;) {
    std::vector<Item> batch = wait_for_items();
    if (failure_ && Clock::now() >= next_recovery_) try_to_recover();
    if (!batch.empty()) {
      process(std::move(batch));
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (stopping_ && mailbox_.empty()) break;
  }
  give_up();
  store_.reset();
}

// Waits for something to do; empty when it is time to recover or to stop.
std::vector<Item> StoreThread::Worker::wait_for_items() {
  std::unique_lock lock(mutex_);
  const auto has_work = [&] { return stopping_ || !mailbox_.empty(); };
  if (failure_) {
    wake_.wait_until(lock, next_recovery_, has_work);
  } else {
    wake_.wait(lock, has_work);
  }
  std::vector<Item> items;
  while (!mailbox_.empty() && items.size() < kMaxBatchItems) {
    if (std::holds_alternative<Add>(mailbox_.front())) --pending_adds_;
    items.push_back(std::move(mailbox_.front()));
    mailbox_.pop_front();
  }
  return items;
}

void StoreThread::Worker::process(std::vector<Item> batch) {
  if (failure_) return refuse(std::move(batch));
  if (auto written = write(batch); !written) return fail_batch(std::move(batch), written.error());
  for (Item& item : batch) {
    if (auto* add = std::get_if<Add>(&item); add && add->body && add->result) add->body->keep();
    std::visit([](auto& written) { written.done(std::move(written.result)); }, item);
  }
  batch.clear();  // what the callbacks own ends now, not after the upkeep
  if (auto maintained = store_->maintain(); !maintained) return fail_store(maintained.error());
  if (Clock::now() < next_reserve_) return;
  next_reserve_ = Clock::now() + kReserveInterval;
  reserve_.ensure();
}

// Writes a batch and commits it. Items that are refused as such have their error in `result`; an error of this function
// is one of the store.
Result<void> StoreThread::Worker::write(std::vector<Item>& batch) {
  if (auto begun = store_->begin(); !begun) return begun;
  for (Item& item : batch) {
    auto applied = std::visit([&](auto& change) { return apply(*store_, change); }, item);
    if (applied) continue;
    if (store_->needs_reopen()) return applied;
    std::visit([&](auto& change) { change.result = tl::unexpected(applied.error()); }, item);
  }
  if (auto committed = store_->commit(); !committed) return committed;
  ++commits_;
  return {};
}

// While the store does not work: only the outcomes of attempts are taken.
void StoreThread::Worker::refuse(std::vector<Item> batch) {
  for (Item& item : batch) {
    if (std::holds_alternative<Record>(item)) {
      kept_records_.push_back(std::move(item));
    } else if (auto* add = std::get_if<Add>(&item)) {
      add->done(tl::unexpected(*failure_));
    } else {
      std::get<Work>(item).done(tl::unexpected(*failure_));
    }
  }
}

void StoreThread::Worker::fail_batch(std::vector<Item> batch, const Error& error) {
  for (Item& item : batch) {
    auto* add = std::get_if<Add>(&item);
    if (add == nullptr) continue;
    // The row may be on the disk, so that its body must stay until both are removed together.
    if (add->body) add->body->keep();
    refused_.push_back(add->message->id);
  }
  fail_store(error);
  refuse(std::move(batch));
}

void StoreThread::Worker::fail_store(const Error& error) {
  available_ = false;
  const bool is_news = !failure_ || failure_->detail != error.detail;
  // At once the first time; when it has just been tried, after a pause.
  if (!failure_) next_recovery_ = std::max(Clock::now(), next_recovery_ + options_.reopen_interval);
  failure_ = error;
  // A full disk shows in several ways, as an I/O error too where a file has to grow.
  const auto free = free_octets(store_->state_directory());
  if (error.kind == ErrorKind::Exhausted || (free && *free < kDiskReserveOctets)) reserve_.release();
  if (is_news && options_.on_state) options_.on_state(failure_);
}

void StoreThread::Worker::try_to_recover() {
  next_recovery_ = Clock::now() + options_.reopen_interval;
  if (auto recovered = recover(); !recovered) return fail_store(recovered.error());
  failure_.reset();
  next_recovery_ = Clock::now();
  available_ = true;
  if (options_.on_state) options_.on_state(std::nullopt);
}

// Opens the store anew, removes submissions that were refused, and writes the records that were kept.
Result<void> StoreThread::Worker::recover() {
  if (auto reopened = store_->reopen(); !reopened) return reopened;
  if (refused_.empty() && kept_records_.empty()) return {};
  if (auto begun = store_->begin(); !begun) return begun;
  for (const QueueId id : refused_) {
    if (auto discarded = store_->discard(id); !discarded) return discarded;
  }
  if (auto committed = store_->commit(); !committed) return committed;
  ++commits_;
  refused_.clear();
  return write_kept_records();
}

// In small transactions: together they may need more room than the reserve has given up, and each that is durable
// counts.
Result<void> StoreThread::Worker::write_kept_records() {
  while (!kept_records_.empty()) {
    const auto slice = static_cast<std::ptrdiff_t>(std::min(kept_records_.size(), kRecoverySlice));
    const auto end = kept_records_.begin() + slice;
    if (auto begun = store_->begin(); !begun) return begun;
    for (auto item = kept_records_.begin(); item != end; ++item) {
      auto& record = std::get<Record>(*item);
      auto applied = apply(*store_, record);
      if (!applied && store_->needs_reopen()) return applied;
      if (!applied) record.result = tl::unexpected(applied.error());
    }
    if (auto committed = store_->commit(); !committed) return committed;
    ++commits_;
    std::vector<Item> written(std::move_iterator(kept_records_.begin()), std::move_iterator(end));
    kept_records_.erase(kept_records_.begin(), end);
    for (Item& item : written) std::get<Record>(item).done(std::move(std::get<Record>(item).result));
  }
  return {};
}

// At the end: one more try for what has not been written, then its owners are told.
void StoreThread::Worker::give_up() {
  if (failure_) try_to_recover();
  if (!failure_) return;
  for (Item& item : std::exchange(kept_records_, {})) std::get<Record>(item).done(tl::unexpected(*failure_));
}

StoreThread::StoreThread(std::unique_ptr<SqliteQueueStore> store, Options options)
    : worker_(std::make_unique<Worker>(std::move(store), std::move(options))) {}

StoreThread::~StoreThread() {
  stop();
}

void StoreThread::add(std::shared_ptr<const QueuedMessage> message, std::optional<SpoolFile> body, Done done) {
  auto back = worker_->post(Add{std::move(message), std::move(body), std::move(done), {}});
  if (back) std::get<Add>(back->first).done(tl::unexpected(std::move(back->second)));
}

void StoreThread::record(AttemptRecord record, Recorded done) {
  auto back = worker_->post(Record{std::move(record), std::move(done), {}});
  if (back) std::get<Record>(back->first).done(tl::unexpected(std::move(back->second)));
}

void StoreThread::run(std::function<Result<void>(SqliteQueueStore&)> work, Done done) {
  auto back = worker_->post(Work{std::move(work), std::move(done), {}});
  if (back) std::get<Work>(back->first).done(tl::unexpected(std::move(back->second)));
}

bool StoreThread::available() const {
  return worker_->available();
}

void StoreThread::stop() {
  worker_->stop();
}

std::uint64_t StoreThread::commits() const {
  return worker_->commits();
}

}  // namespace waxwing
