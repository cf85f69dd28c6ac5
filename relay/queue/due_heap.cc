#include "relay/queue/due_heap.h"

namespace waxwing {

void DueHeap::insert(Item item, WallTime time) {
  if (item >= position_of_.size()) position_of_.resize(std::size_t{item} + 1, kNone);
  nodes_.push_back({time, arrivals_++, item});
  position_of_[item] = static_cast<Item>(nodes_.size() - 1);
  sift_up(nodes_.size() - 1);
}

void DueHeap::erase(Item item) {
  if (item >= position_of_.size() || position_of_[item] == kNone) return;
  const std::size_t position = position_of_[item];
  position_of_[item] = kNone;
  const Node last = nodes_.back();
  nodes_.pop_back();
  if (position == nodes_.size()) return;
  place(position, last);
  sift_up(position);
  sift_down(position_of_[last.item]);
}

void DueHeap::place(std::size_t position, const Node& node) {
  nodes_[position] = node;
  position_of_[node.item] = static_cast<Item>(position);
}

void DueHeap::sift_up(std::size_t position) {
  const Node node = nodes_[position];
  while (position > 0 && before(node, nodes_[(position - 1) / 2])) {
    place(position, nodes_[(position - 1) / 2]);
    position = (position - 1) / 2;
  }
  place(position, node);
}

void DueHeap::sift_down(std::size_t position) {
  const Node node = nodes_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= nodes_.size()) break;
    if (child + 1 < nodes_.size() && before(nodes_[child + 1], nodes_[child])) ++child;
    if (!before(nodes_[child], node)) break;
    place(position, nodes_[child]);
    position = child;
  }
  place(position, node);
}

}  // namespace waxwing
