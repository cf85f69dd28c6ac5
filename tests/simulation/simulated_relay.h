#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "relay/delivery/delivery_queue.h"
#include "relay/observe/event_log.h"
#include "relay/store/group_commit.h"
#include "relay/store/queue_reader.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/promise_ledger.h"
#include "tests/simulation/receivers.h"
#include "tests/simulation/simulated_disk.h"
#include "tests/simulation/virtual_time.h"

namespace waxwing {

/// One life of the relay's process: the real store with its group commit and the real delivery queue, between simulated
/// disk, receivers and time. Its death is its destruction: nothing that it began reaches it any more.
class SimulatedRelay {
 public:
  struct World {
    VirtualTime& time;
    Dice& dice;
    SimulatedDisk& disk;
    Receivers& receivers;
    PromiseLedger& ledger;
    EventLog& log;
    std::string state_directory;
  };

  /// Opens the store and takes over what waits in it.
  [[nodiscard]] static Result<std::unique_ptr<SimulatedRelay>> start(const World& world);

  /// @param stored    whether the message is durable, as the client is told unless it waits
  /// @param patience  how long the client waits for the first outcome; nothing: it does not
  void submit(std::shared_ptr<const QueuedMessage> message, std::function<void(bool)> stored,
              std::optional<Milliseconds> patience);

  /// What an operator's command does, here and in the store.
  void administer(nlohmann::json request);

  /// Begins an orderly end; `ended` comes when the store is closed.
  void stop(std::function<void()> ended);

  [[nodiscard]] std::size_t waiting() const { return queue_->waiting(); }

 private:
  SimulatedRelay(const World& world, std::unique_ptr<SqliteQueueStore> store, QueueReader reader);
  void after(Milliseconds delay, std::function<void()> event);
  void put(StoreItem item);
  void commit_soon();
  void commit();
  [[nodiscard]] DeliveryQueue::Ports ports();
  void attempt(DueBatch batch);
  void deliver(const std::shared_ptr<AttemptResult>& result);
  void give_up(DueBatch batch);
  void record(AttemptRecord record, DeliveryQueue::Ports::Recorded recorded);
  void await_quiet(MonotonicTime end, const std::function<void()>& ended);

  World world_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  GroupCommit group_commit_;
  QueueReader reader_;
  QueueIdSource ids_;
  ReportComposer composer_;
  std::vector<StoreItem> mailbox_;
  bool committing_ = false;
  std::uint64_t wake_up_ = 0;  // the last that was asked for
  std::unique_ptr<DeliveryQueue> queue_;
};

}  // namespace waxwing
