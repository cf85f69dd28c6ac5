#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace waxwing {

/// Space that is kept for the store itself: a file `<state>/reserve` whose blocks are given up when the disk is full,
/// so that outcomes of deliveries can be recorded and messages leave the queue although nothing else fits any more.
/// Belongs to the store thread.
class DiskReserve {
 public:
  /// Holds nothing yet. What an earlier process held was given up when the store was opened.
  explicit DiskReserve(std::string state_directory) : state_directory_(std::move(state_directory)) {}

  /// Takes the space if it is not held and several times as much is free; otherwise does nothing, for it can be done
  /// later.
  void ensure();

  /// Gives the space up.
  void release();

  /// Gives up what an earlier process held.
  static void give_up(const std::string& state_directory);

 private:
  std::string state_directory_;
  bool held_ = false;
};

/// Enough for the log of the largest batch of outcomes and for the database to grow by it.
inline constexpr std::uint64_t kDiskReserveOctets = 8ULL << 20;

}  // namespace waxwing
