#include "tests/simulation/simulated_relay.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "relay/admin/admin_commands.h"

namespace waxwing {
namespace {

// As relay/daemon has them.
constexpr Milliseconds kGrace{20'000};
constexpr Milliseconds kPoll{50};

DeliveryQueue::Options options(Dice& dice) {
  DeliveryQueue::Options chosen;
  chosen.seed = dice.below(1'000'000);
  chosen.limits.active_total = 1 + dice.below(30);
  chosen.limits.active_per_tenant = 1 + dice.below(20);
  chosen.limits.recipients_per_batch = 1 + dice.below(5);
  chosen.concurrency = {1 + dice.below(5), 1 + dice.below(10), dice.below(3)};
  chosen.outcomes.delay_report_after = Seconds(14'400);
  return chosen;
}

}  // namespace

Result<std::unique_ptr<SimulatedRelay>> SimulatedRelay::start(const World& world) {
  auto store = SqliteQueueStore::open(world.state_directory);
  if (!store) return tl::unexpected(store.error());
  auto reader = QueueReader::open(world.state_directory);
  if (!reader) return tl::unexpected(reader.error());
  std::unique_ptr<SimulatedRelay> relay(new SimulatedRelay(world, std::move(*store), std::move(*reader)));
  Result<void> loaded;
  relay->group_commit_.process(
      [&] {
        std::vector<StoreItem> items;
        items.emplace_back(StoreWork{[&relay](SqliteQueueStore& opened) { return relay->queue_->load(opened); },
                                     [&loaded](const Result<void>& result) { loaded = result; }});
        return items;
      }(),
      world.time.now());
  if (!loaded) return tl::unexpected(loaded.error());
  return relay;
}

SimulatedRelay::SimulatedRelay(const World& world, std::unique_ptr<SqliteQueueStore> store, QueueReader reader)
    : world_(world),
      group_commit_(std::move(store), {[this](const std::optional<Error>& error) {
                                         after(Milliseconds(0),
                                               [this, works = !error] { queue_->on_store_state(works); });
                                       },
                                       Milliseconds(1'000)}),
      reader_(std::move(reader)),
      ids_(static_cast<std::uint32_t>(world.dice.below(1U << 22U))),
      composer_(ids_, {"relay.example", Seconds(86'400)}),
      queue_(std::make_unique<DeliveryQueue>(composer_, world.log,
                                             RetrySchedule({Seconds(300), Seconds(900), Seconds(3'600)}),
                                             options(world.dice), ports())) {}

// What was asked for by one life happens to no other.
void SimulatedRelay::after(Milliseconds delay, std::function<void()> event) {
  world_.time.after(delay, [life = std::weak_ptr<bool>(alive_), event = std::move(event)] {
    if (!life.expired()) event();
  });
}

void SimulatedRelay::put(StoreItem item) {
  mailbox_.push_back(std::move(item));
  commit_soon();
}

void SimulatedRelay::commit_soon() {
  if (std::exchange(committing_, true)) return;
  const bool is_slow = world_.dice.percent(1);
  after(world_.dice.between(Milliseconds(1), Milliseconds(is_slow ? 5'000 : 20)), [this] { commit(); });
}

void SimulatedRelay::commit() {
  committing_ = false;
  group_commit_.recover(world_.time.now());
  if (!mailbox_.empty()) group_commit_.process(std::exchange(mailbox_, {}), world_.time.now());
  if (const auto recovery = group_commit_.next_recovery(); recovery && world_.disk.has_power())
    after(std::max(Milliseconds(0), *recovery - world_.time.now()), [this] { commit_soon(); });
}

void SimulatedRelay::submit(std::shared_ptr<const QueuedMessage> message, std::function<void(bool)> stored,
                            std::optional<Milliseconds> patience) {
  put(StoreAdd{message, std::nullopt, [this, message, stored = std::move(stored), patience](const Result<void>& added) {
                 if (!world_.disk.has_power()) return;
                 after(Milliseconds(0), [this, message, stored, patience, works = added.has_value()] {
                   stored(works);
                   if (!works) return;
                   if (!patience) return queue_->enqueue(*message);
                   world_.ledger.waits(message->id);
                   queue_->enqueue(*message, *patience, [this, id = message->id](const FirstOutcome& outcome) {
                     world_.ledger.told(id, outcome.kind);
                   });
                 });
               }});
}

DeliveryQueue::Ports SimulatedRelay::ports() {
  DeliveryQueue::Ports ports;
  ports.now = [this] { return world_.time.wall(); };
  ports.wake_up = [this](std::optional<Milliseconds> delay) {
    const std::uint64_t asked_for = ++wake_up_;
    if (!delay) return;
    after(*delay, [this, asked_for] {
      if (wake_up_ == asked_for) queue_->run_due();
    });
  };
  ports.start_attempt = [this](DueBatch batch) { attempt(std::move(batch)); };
  ports.load_expired = [this](DueBatch batch) { give_up(std::move(batch)); };
  ports.seal_report = [this](QueuedMessage report, std::function<void(QueuedMessage)> on_sealed) {
    after(world_.dice.between(Milliseconds(0), Milliseconds(50)),
          [report = std::move(report), on_sealed = std::move(on_sealed)] { on_sealed(report); });
  };
  ports.record = [this](AttemptRecord record, DeliveryQueue::Ports::Recorded recorded) {
    this->record(std::move(record), std::move(recorded));
  };
  return ports;
}

void SimulatedRelay::attempt(DueBatch batch) {
  world_.ledger.attempt_started(batch);
  after(world_.dice.between(Milliseconds(0), Milliseconds(20)), [this, batch = std::move(batch)]() mutable {
    auto loaded = reader_.load(batch.message, batch.ordinals);
    if (loaded && returns_by(*loaded, world_.time.wall())) batch.expired = true;
    if (batch.expired) return give_up(std::move(batch));
    auto result = std::make_shared<AttemptResult>();
    result->batch = std::move(batch);
    if (!loaded) {
      result->report = tl::unexpected(loaded.error());
    } else {
      result->message = std::move(*loaded);
      result->tried = still_waiting(result->message, result->batch);
      if (result->tried.empty()) result->report = fail(ErrorKind::NotFound, "no recipient waits any more");
    }
    if (!result->report) {
      world_.ledger.attempt_failed(result->batch);
      return queue_->on_result(std::move(*result));
    }
    world_.ledger.attempt_loaded(result->batch, result->message, result->tried, world_.time);
    after(world_.receivers.pace(result->batch.domain), [this, result] { deliver(result); });
  });
}

// The receivers have it now, and the relay hears of it a little later.
void SimulatedRelay::deliver(const std::shared_ptr<AttemptResult>& result) {
  DeliveryReport report;
  const auto verdicts = world_.receivers.judge(result->batch.domain, result->tried.size());
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const Receivers::Verdict& verdict = verdicts[i];
    const bool known = verdict.outcome.kind == RecipientOutcome::Kind::Delivered;
    if (verdict.received && known) world_.ledger.received(result->message.id, result->tried[i]);
    if (verdict.received && !known) world_.ledger.received_unnoticed(result->message.id, result->tried[i]);
    report.recipients.push_back(verdict.outcome);
  }
  result->report = std::move(report);
  after(world_.dice.between(Milliseconds(0), Milliseconds(200)),
        [this, result] { queue_->on_result(std::move(*result)); });
}

void SimulatedRelay::give_up(DueBatch batch) {
  after(world_.dice.between(Milliseconds(0), Milliseconds(20)), [this, batch = std::move(batch)] {
    auto loaded = reader_.load(batch.message, batch.ordinals);
    if (!loaded) {
      world_.ledger.attempt_failed(batch);
      return queue_->on_result({batch, {}, {}, tl::unexpected(loaded.error())});
    }
    world_.ledger.attempt_loaded(batch, *loaded, still_waiting(*loaded, batch), world_.time);
    queue_->on_result({batch, std::move(*loaded), {}, DeliveryReport()});
  });
}

void SimulatedRelay::record(AttemptRecord record, DeliveryQueue::Ports::Recorded recorded) {
  world_.ledger.recording(record);
  const AttemptRecord copy = record;
  put(StoreRecord{std::move(record),
                  [this, copy, recorded = std::move(recorded)](const Result<std::vector<QueueId>>& removed) {
                    if (!world_.disk.has_power()) return;
                    removed ? world_.ledger.recorded(copy) : world_.ledger.not_recorded(copy);
                    after(Milliseconds(0), [recorded, removed] { recorded(removed); });
                  }});
}

void SimulatedRelay::administer(nlohmann::json request) {
  auto effects = std::make_shared<AdminEffects>();
  const auto work = [this, effects, request = std::move(request)](SqliteQueueStore& store) -> Result<void> {
    auto reply = run_admin_command(request, store, world_.time.wall());
    if (!reply) return tl::unexpected(reply.error());
    *effects = std::move(reply->effects);
    return {};
  };
  put(StoreWork{work, [this, effects](const Result<void>& done) {
                  if (!done || !world_.disk.has_power()) return;
                  after(Milliseconds(0), [this, effects] {
                    for (const HeldMessage& held : effects->held) queue_->hold(held.id);
                    for (const WaitingRecipient& recipient : effects->retry) queue_->retry(recipient);
                    for (const HeldMessage& released : effects->released) queue_->release(released.id);
                    for (const DroppedMessage& dropped : effects->dropped)
                      if (dropped.removed) queue_->forget(dropped.id);
                  });
                }});
}

void SimulatedRelay::stop(std::function<void()> ended) {
  queue_->stop();
  await_quiet(world_.time.now() + kGrace, ended);
}

void SimulatedRelay::await_quiet(MonotonicTime end, const std::function<void()>& ended) {
  if (queue_->active() > 0 && world_.time.now() < end)
    return after(kPoll, [this, end, ended] { await_quiet(end, ended); });
  if (!mailbox_.empty()) group_commit_.process(std::exchange(mailbox_, {}), world_.time.now());
  group_commit_.finish(world_.time.now());
  world_.time.after(Milliseconds(0), ended);
  alive_.reset();
}

}  // namespace waxwing
