#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "policy/time_point.h"
#include "relay/queue/account.h"

namespace waxwing {

/// Remembers which passwords were found right, so that the slow hash is computed once and not for each connection.
/// Holds no password: an HMAC of it under a key that lives and dies with this object. What is remembered belongs to the
/// account as it was stored then, so that a new password or a removal counts at once. Wrong passwords are never
/// remembered. Belongs to one thread.
class VerifiedLogins {
 public:
  /// @param lifetime  from the verification; use does not prolong it
  explicit VerifiedLogins(Milliseconds lifetime = Milliseconds(600'000));
  ~VerifiedLogins();
  VerifiedLogins(const VerifiedLogins&) = delete;
  VerifiedLogins& operator=(const VerifiedLogins&) = delete;

  /// Whether this password was found right for the account as it is stored now. Takes the same time for every password
  /// of one length, and for accounts that are not known.
  [[nodiscard]] bool contains(const Account& account, std::string_view password, MonotonicTime now) const;

  /// Remembers a password that was verified just now; the last one for each account.
  void remember(const Account& account, std::string_view password, MonotonicTime now);

 private:
  using Code = std::array<std::uint8_t, 32>;
  struct Entry {
    Code code;
    MonotonicTime expiry;
  };
  [[nodiscard]] Code code_for(const Account& account, std::string_view password) const;

  Milliseconds lifetime_;
  Code key_{};
  std::unordered_map<std::string, Entry> entries_;  ///< by account name
};

/// Accounts of which a login is remembered; beyond that, others are forgotten.
inline constexpr std::size_t kMaxVerifiedLogins = 10'000;

}  // namespace waxwing
