#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/observe/event_log.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/promise_ledger.h"
#include "tests/simulation/receivers.h"
#include "tests/simulation/simulated_disk.h"
#include "tests/simulation/simulated_relay.h"
#include "tests/simulation/virtual_time.h"

namespace waxwing {

/// Some days of a relay, told by a seed: clients submit, receivers have moods, operators interfere, the disk fails, the
/// power goes, the clock jumps. After that all is well, and there is time enough to finish.
class History {
 public:
  struct Options {
    std::uint64_t seed = 0;
    std::string state_directory;  ///< empty
    bool trace = false;           ///< logs to standard error
    bool lying_disk = false;      ///< a disk that keeps nothing: broken promises must be found
  };
  struct Summary {
    std::vector<std::string> broken;  ///< sentences; empty: every promise was kept
    std::size_t delivered = 0;
    std::size_t failed = 0;
    std::size_t repeated = 0;
    std::size_t answered = 0;
    std::size_t deaths = 0;
    std::size_t store_failures = 0;
  };

  explicit History(Options options);
  [[nodiscard]] Summary run();

 private:
  void plan();
  void start();
  void submit();
  void interfere();
  void die_some_time();
  void restart();
  void bury();
  void heal();
  [[nodiscard]] QueuedMessage compose();
  void note(const std::string& what);

  Options options_;
  VirtualTime time_;
  Dice dice_;
  Summary summary_;
  EventLog log_;
  SimulatedDisk disk_;
  Receivers receivers_;
  PromiseLedger ledger_;
  QueueIdSource ids_;
  std::vector<QueueId> accepted_;
  std::vector<std::string> domains_;
  bool releases_later_ = false;  // some messages are for a later release
  std::optional<MonotonicTime> healed_;
  bool stopping_ = false;
  std::unique_ptr<SimulatedRelay> relay_;
};

}  // namespace waxwing
