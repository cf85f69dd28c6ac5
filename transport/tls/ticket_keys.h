#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "policy/time_point.h"

namespace waxwing {

/// Keys that seal session tickets: made at random, in the memory of one context, and gone after a day, so that who takes one can read
/// no session older than that. May be used from several threads at the same time.
/// @source  RFC 9325 §3.4 (keys of tickets: rotation within a week at most; here kTicketKeyLifetime)
class TicketKeys {
 public:
  using Clock = std::function<MonotonicTime()>;

  /// Gives a context keys of its own, which live as long as it does.
  /// @return  false: no memory
  [[nodiscard]] static bool install(SSL_CTX* context, Clock clock);

  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

 private:
  explicit TicketKeys(Clock clock) : clock_(std::move(clock)) {}

  struct Key {
    std::array<std::uint8_t, 16> name;  ///< tells which key a ticket needs
    std::array<std::uint8_t, 32> secret;
    MonotonicTime made;
  };
  friend struct TicketMethod;

  // The key that seals now.
  [[nodiscard]] Key sealing_key();
  [[nodiscard]] std::optional<Key> find(const std::uint8_t* name);
  void rotate(MonotonicTime now);

  const Clock clock_;
  std::mutex mutex_;
  std::optional<Key> current_;
  std::optional<Key> previous_;  ///< opens what it sealed
};

inline constexpr Seconds kTicketKeyLifetime{86'400};  ///< half of it sealing, and then only opening

}  // namespace waxwing
