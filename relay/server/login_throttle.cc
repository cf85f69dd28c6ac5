#include "relay/server/login_throttle.h"

#include <algorithm>

namespace waxwing {
namespace {

// Whoever has one IPv6 address has its whole /64.
constexpr std::size_t kNetworkOctetsV6 = 8;

std::string key_of(std::string_view user, const IpAddress& peer) {
  std::string key;
  const std::size_t length = peer.family() == IpAddress::Family::V6 ? kNetworkOctetsV6 : peer.octets().size();
  for (const std::uint8_t octet : peer.octets().first(length)) key += static_cast<char>(octet);
  key.append(user);
  return key;
}

Milliseconds delay_after(unsigned failures) {
  constexpr unsigned kMostDoublings = 10;  // far above the longest delay
  return std::min(kLongestLoginDelay, kFirstLoginDelay * (1U << std::min(failures - 1, kMostDoublings)));
}

}  // namespace

std::optional<Milliseconds> LoginThrottle::admit(std::string_view user, const IpAddress& peer, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key_of(user, peer));
  if (found == entries_.end()) return Milliseconds(0);
  Entry& entry = found->second;
  if (now >= entry.forgotten) {
    entries_.erase(found);
    return Milliseconds(0);
  }
  const Milliseconds wait = std::max(Milliseconds(0), entry.next - now);
  if (wait > kLongestLoginQueue) return std::nullopt;
  entry.next = now + wait + delay_after(entry.failures);
  return wait;
}

void LoginThrottle::on_wrong_password(std::string_view user, const IpAddress& peer, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  make_room(now);
  Entry& entry = entries_[key_of(user, peer)];
  ++entry.failures;
  entry.next = std::max(entry.next, now + delay_after(entry.failures));
  entry.forgotten = now + kLoginFailureMemory;
}

void LoginThrottle::on_right_password(std::string_view user, const IpAddress& peer) {
  const std::lock_guard lock(mutex_);
  entries_.erase(key_of(user, peer));
}

void LoginThrottle::make_room(MonotonicTime now) {
  if (entries_.size() < kMaxThrottledLogins) return;
  std::erase_if(entries_, [now](const auto& entry) { return now >= entry.second.forgotten; });
  if (entries_.size() < kMaxThrottledLogins) return;
  // Who has tried least is forgotten: names that were made up cost their inventor more than they gain.
  const auto least = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
    return a.second.failures < b.second.failures;
  });
  entries_.erase(least);
}

}  // namespace waxwing
