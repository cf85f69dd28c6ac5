#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "policy/ip_address.h"
#include "policy/time_point.h"

namespace waxwing {

/// Slows guessing: after each wrong password, the next login of the same user from the same address waits twice as long
/// before its password is looked at, at most kLongestLoginDelay. Logins that come at the same time wait one behind the
/// other. The user is not slowed from anywhere else, so that nobody can lock somebody out. Thread-safe, since
/// all workers share one: more connections must not buy more guesses.
class LoginThrottle {
 public:
  /// How long this login has to wait; it counts as done then.
  /// @return  no value: more than kLongestLoginQueue would have to pass, so it is not to be checked at all
  [[nodiscard]] std::optional<Milliseconds> admit(std::string_view user, const IpAddress& peer, MonotonicTime now);

  void on_wrong_password(std::string_view user, const IpAddress& peer, MonotonicTime now);
  void on_right_password(std::string_view user, const IpAddress& peer);

 private:
  struct Entry {
    unsigned failures = 0;
    MonotonicTime next;       ///< when the next login may be looked at
    MonotonicTime forgotten;  ///< when the failures no longer count
  };
  void make_room(MonotonicTime now);

  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;  ///< by user and address
};

inline constexpr Milliseconds kFirstLoginDelay{100};
inline constexpr Milliseconds kLongestLoginDelay{2'000};
inline constexpr Milliseconds kLongestLoginQueue{10'000};
/// Failures count for so long after the last of them.
inline constexpr Milliseconds kLoginFailureMemory{600'000};
inline constexpr std::size_t kMaxThrottledLogins = 10'000;

}  // namespace waxwing
