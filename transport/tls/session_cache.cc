#include "transport/tls/session_cache.h"

#include <utility>

namespace waxwing {

SessionCache::SessionCache(std::size_t max_keys, std::size_t max_sessions_per_key)
    : max_keys_(max_keys), max_sessions_per_key_(max_sessions_per_key) {}

void SessionCache::put(const std::string& key, bssl::UniquePtr<SSL_SESSION> session) {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) {
    entries_.push_front({key, {}});
    by_key_.emplace(key, entries_.begin());
  } else {
    entries_.splice(entries_.begin(), entries_, known->second);
  }
  auto& sessions = entries_.front().sessions;
  // A session that can be used again (TLS 1.2) is replaced rather than collected.
  if (!sessions.empty() && SSL_SESSION_should_be_single_use(session.get()) == 0) sessions.clear();
  sessions.push_back(std::move(session));
  if (sessions.size() > max_sessions_per_key_) sessions.pop_front();
  if (entries_.size() > max_keys_) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

bssl::UniquePtr<SSL_SESSION> SessionCache::take(const std::string& key) {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, known->second);
  auto& sessions = entries_.front().sessions;
  if (SSL_SESSION_should_be_single_use(sessions.back().get()) == 0) return bssl::UpRef(sessions.back());
  bssl::UniquePtr<SSL_SESSION> session = std::move(sessions.back());
  sessions.pop_back();
  if (sessions.empty()) {
    by_key_.erase(known);
    entries_.pop_front();
  }
  return session;
}

}  // namespace waxwing
