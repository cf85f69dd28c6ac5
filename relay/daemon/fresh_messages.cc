#include "relay/daemon/fresh_messages.h"

#include <utility>

namespace waxwing {
namespace {

// Of a message that is held the copy would say so after its release too, and its recipient would not be tried.
bool is_tried_at_once(const QueuedMessage& message) {
  return message.recipients.size() == 1 && message.recipients.front().state == RecipientState::Queued;
}

std::size_t octets_of(const QueuedMessage& message) {
  return message.header.size() + message.body.size();
}

}  // namespace

void FreshMessages::keep(std::shared_ptr<const QueuedMessage> message, MonotonicTime now) {
  if (message->spooled || !is_tried_at_once(*message)) return;
  const std::uint64_t id = message->id.value();
  const std::size_t octets = octets_of(*message);
  const std::lock_guard lock(mutex_);
  if (!entries_.try_emplace(id, Entry{std::move(message), now}).second) return;
  octets_ += octets;
  order_.push_back(id);
  make_room(now);
}

std::shared_ptr<const QueuedMessage> FreshMessages::take(QueueId id, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id.value());
  if (found == entries_.end()) return nullptr;
  const Entry entry = std::move(found->second);
  entries_.erase(found);
  octets_ -= octets_of(*entry.message);
  return now - entry.kept <= kMessageFreshness ? entry.message : nullptr;
}

// The oldest go first, and whatever is too old with them.
void FreshMessages::make_room(MonotonicTime now) {
  while (!order_.empty()) {
    const auto oldest = entries_.find(order_.front());
    if (oldest != entries_.end()) {
      if (octets_ <= kMaxFreshOctets && now - oldest->second.kept <= kMessageFreshness) return;
      octets_ -= octets_of(*oldest->second.message);
      entries_.erase(oldest);
    }
    order_.pop_front();
  }
}

}  // namespace waxwing
