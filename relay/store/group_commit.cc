#include "relay/store/group_commit.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "relay/store/disk_space.h"
#include "relay/store/suppression_store.h"
#include "relay/store/tls_result_store.h"

namespace waxwing {
namespace {

// How often it is looked whether the reserve is there.
constexpr Milliseconds kReserveInterval{10'000};
// Records that are written together after a failure.
constexpr std::size_t kRecoverySlice = 50;
// A disk may be full or broken only for what is written to it: that is looked at again after eight intervals at most.
constexpr unsigned kMostFruitlessUses = 3;

Result<void> apply(SqliteQueueStore& store, StoreAdd& item) {
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

Result<void> apply(SqliteQueueStore& store, StoreRecord& item) {
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

Result<void> apply(SqliteQueueStore& store, StoreWork& item) {
  return store.apart([&] { return item.work(store); });
}

}  // namespace

GroupCommit::GroupCommit(std::unique_ptr<SqliteQueueStore> store, Options options)
    : store_(std::move(store)), options_(std::move(options)), reserve_(store_->state_directory()) {
  reserve_.ensure();
}

std::optional<MonotonicTime> GroupCommit::next_recovery() const {
  return failure_ ? std::optional(next_recovery_) : std::nullopt;
}

void GroupCommit::recover(MonotonicTime now) {
  if (failure_ && now >= next_recovery_) reopen(now);
}

void GroupCommit::process(std::vector<StoreItem> batch, MonotonicTime now) {
  if (failure_) return refuse(std::move(batch));
  if (auto written = write(batch); !written) return fail_batch(std::move(batch), written.error(), now);
  fruitless_ = 0;
  is_proven_ = true;
  for (StoreItem& item : batch) {
    if (auto* add = std::get_if<StoreAdd>(&item); add && add->body && add->result) add->body->keep();
    std::visit([](auto& written) { written.done(std::move(written.result)); }, item);
  }
  batch.clear();  // what the callbacks own ends now, not after the upkeep
  if (auto maintained = store_->maintain(); !maintained) return fail_store(maintained.error(), now);
  if (now < next_reserve_) return;
  next_reserve_ = now + kReserveInterval;
  reserve_.ensure();
}

// Writes a batch and commits it. Items that are refused as such have their error in `result`; an error of this function
// is one of the store.
Result<void> GroupCommit::write(std::vector<StoreItem>& batch) {
  if (auto begun = store_->begin(); !begun) return begun;
  for (StoreItem& item : batch) {
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
void GroupCommit::refuse(std::vector<StoreItem> batch) {
  for (StoreItem& item : batch) {
    if (std::holds_alternative<StoreRecord>(item)) {
      kept_records_.push_back(std::move(item));
    } else if (auto* add = std::get_if<StoreAdd>(&item)) {
      add->done(tl::unexpected(*failure_));
    } else {
      std::get<StoreWork>(item).done(tl::unexpected(*failure_));
    }
  }
}

void GroupCommit::fail_batch(std::vector<StoreItem> batch, const Error& error, MonotonicTime now) {
  for (StoreItem& item : batch) {
    auto* add = std::get_if<StoreAdd>(&item);
    if (add == nullptr) continue;
    // The row may be on the disk, so that its body must stay until both are removed together.
    if (add->body) add->body->keep();
    refused_.push_back(add->message->id);
  }
  if (!std::exchange(is_proven_, true)) fruitless_ = std::min(fruitless_ + 1, kMostFruitlessUses);
  fail_store(error, now);
  refuse(std::move(batch));
}

void GroupCommit::fail_store(const Error& error, MonotonicTime now) {
  available_ = false;
  const bool is_news = !failure_ || failure_->detail != error.detail;
  // At once the first time; when it has just been tried, after a pause.
  if (!failure_) next_recovery_ = std::max(now, next_recovery_ + reopen_pause());
  failure_ = error;
  // A full disk shows in several ways, as an I/O error too where a file has to grow.
  const auto free = free_octets(store_->state_directory());
  if (error.kind == ErrorKind::Exhausted || (free && *free < kDiskReserveOctets)) reserve_.release();
  if (is_news && options_.on_state) options_.on_state(failure_);
}

Milliseconds GroupCommit::reopen_pause() const {
  constexpr unsigned kMostDoublings = 16;
  const Milliseconds doubled = options_.reopen_interval * (1U << std::min(fruitless_, kMostDoublings));
  return std::min(doubled, std::max(options_.reopen_interval, kLongestReopen));
}

void GroupCommit::reopen(MonotonicTime now) {
  auto reopened = try_to_reopen();
  const bool damaged = !reopened && reopened.error().kind == ErrorKind::Corrupt;
  next_recovery_ = now + reopen_pause();
  if (damaged) ++fruitless_;
  if (!reopened) return fail_store(reopened.error(), now);
  failure_.reset();
  next_recovery_ = now;
  available_ = true;
  is_proven_ = false;
  if (options_.on_state) options_.on_state(std::nullopt);
}

// Opens the store anew, removes submissions that were refused, and writes the records that were kept.
Result<void> GroupCommit::try_to_reopen() {
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
Result<void> GroupCommit::write_kept_records() {
  while (!kept_records_.empty()) {
    const auto slice = static_cast<std::ptrdiff_t>(std::min(kept_records_.size(), kRecoverySlice));
    const auto end = kept_records_.begin() + slice;
    if (auto begun = store_->begin(); !begun) return begun;
    for (auto item = kept_records_.begin(); item != end; ++item) {
      auto& record = std::get<StoreRecord>(*item);
      auto applied = apply(*store_, record);
      if (!applied && store_->needs_reopen()) return applied;
      if (!applied) record.result = tl::unexpected(applied.error());
    }
    if (auto committed = store_->commit(); !committed) return committed;
    ++commits_;
    std::vector<StoreItem> written(std::move_iterator(kept_records_.begin()), std::move_iterator(end));
    kept_records_.erase(kept_records_.begin(), end);
    for (StoreItem& item : written) std::get<StoreRecord>(item).done(std::move(std::get<StoreRecord>(item).result));
  }
  return {};
}

void GroupCommit::finish(MonotonicTime now) {
  if (failure_) reopen(now);
  if (failure_)
    for (StoreItem& item : std::exchange(kept_records_, {}))
      std::get<StoreRecord>(item).done(tl::unexpected(*failure_));
  store_.reset();
}

}  // namespace waxwing
