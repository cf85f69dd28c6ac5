#pragma once

// Private to transport/tls.

#include <openssl/ssl.h>

#include <cstddef>
#include <deque>
#include <list>
#include <string>
#include <unordered_map>

namespace waxwing {

/// Keeps TLS sessions for resumption, bounded in keys and in sessions per key; the least recently used key goes first.
class SessionCache {
 public:
  SessionCache(std::size_t max_keys, std::size_t max_sessions_per_key);

  /// Adds a session; the newest of a key is taken first.
  void put(const std::string& key, bssl::UniquePtr<SSL_SESSION> session);

  /// The newest session of a key, or nullptr. One that may be used only once (TLS 1.3) leaves the cache.
  /// @source  RFC 8446 §C.4
  [[nodiscard]] bssl::UniquePtr<SSL_SESSION> take(const std::string& key);

 private:
  struct Entry {
    std::string key;
    std::deque<bssl::UniquePtr<SSL_SESSION>> sessions;  ///< newest last; never empty
  };
  std::size_t max_keys_;
  std::size_t max_sessions_per_key_;
  std::list<Entry> entries_;  ///< most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace waxwing
