#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "policy/time_point.h"

namespace waxwing {

/// Items by time, earliest first; items of the same time in the order in which they came. An item is a small number,
/// and can be taken out from the middle.
/// @limits  O(log n) for each change; 28 octets for each item
class DueHeap {
 public:
  using Item = std::uint32_t;
  static constexpr Item kNone = std::numeric_limits<Item>::max();

  /// Puts an item in that is not there yet.
  void insert(Item item, WallTime time);
  /// Takes an item out; does nothing when it is not there.
  void erase(Item item);

  /// The time of an item that is there.
  [[nodiscard]] WallTime time_of(Item item) const { return nodes_[position_of_[item]].time; }

  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  /// The earliest item and its time; the heap must not be empty.
  [[nodiscard]] Item first() const { return nodes_.front().item; }
  [[nodiscard]] WallTime first_time() const { return nodes_.front().time; }

 private:
  struct Node {
    WallTime time;
    std::uint64_t arrival;
    Item item;
  };
  [[nodiscard]] static bool before(const Node& left, const Node& right) {
    return left.time != right.time ? left.time < right.time : left.arrival < right.arrival;
  }
  void place(std::size_t position, const Node& node);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  std::vector<Node> nodes_;
  std::vector<Item> position_of_;  // by item; kNone: not in the heap
  std::uint64_t arrivals_ = 0;
};

}  // namespace waxwing
