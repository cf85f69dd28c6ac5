#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "policy/time_point.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// Messages that were queued a moment ago, so that the first attempt need not read back what was just written. The
/// database stays the truth: what is not here, or no longer, is read from it. Only messages with one recipient, who is
/// not held, and an inline body are kept, which most are. Thread-safe.
class FreshMessages {
 public:
  /// @param message  durable, and about to be tried
  void keep(std::shared_ptr<const QueuedMessage> message, MonotonicTime now);

  /// Takes a message out: whoever tries it again reads what has become of it.
  /// @return nullptr: it is not here, or was kept for longer than kMessageFreshness
  [[nodiscard]] std::shared_ptr<const QueuedMessage> take(QueueId id, MonotonicTime now);

 private:
  struct Entry {
    std::shared_ptr<const QueuedMessage> message;
    MonotonicTime kept;
  };
  void make_room(MonotonicTime now);

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> entries_;  ///< by id
  std::deque<std::uint64_t> order_;                   ///< ids as they were kept; some are gone
  std::size_t octets_ = 0;
};

/// An operator who holds and releases a message takes longer, and so does whatever else changes it.
inline constexpr Milliseconds kMessageFreshness{500};
/// Of headers and bodies together.
inline constexpr std::size_t kMaxFreshOctets = 4'194'304;

}  // namespace waxwing
