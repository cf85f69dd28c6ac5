#pragma once

namespace waxwing {

/// What the `data` pointer of every libuv handle on an EventLoop refers to, so that the loop can release what its owner
/// left behind. A handle without such an owner has no data.
class LoopHandle {
 public:
  /// Closes the handle at once and frees what belongs to it when libuv has let go of it. Nobody hears of it.
  virtual void abandon() = 0;

 protected:
  ~LoopHandle() = default;
};

}  // namespace waxwing
