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

/// HMAC-SHA-256 of an account and a password.
using LoginCode = std::array<std::uint8_t, 32>;

/// Remembers which passwords were found right, so that the slow hash is computed once and not for each connection.
/// Holds no password: an HMAC of it under a key that lives and dies with this object. What is remembered belongs to the
/// account as it was stored then, so that a new password or a removal counts at once. Wrong passwords are never
/// remembered. Belongs to one thread, but for code_for().
class VerifiedLogins {
 public:
  /// @param lifetime  from the verification; use does not prolong it
  explicit VerifiedLogins(Milliseconds lifetime = Milliseconds(600'000));
  ~VerifiedLogins();
  VerifiedLogins(const VerifiedLogins&) = delete;
  VerifiedLogins& operator=(const VerifiedLogins&) = delete;

  /// What stands here for this password of the account as it is stored now. Takes the same time for every password of one
  /// length. May be called from any thread.
  [[nodiscard]] LoginCode code_for(const Account& account, std::string_view password) const;

  /// Whether the code was remembered for the account of this name. Takes the same time for every code.
  [[nodiscard]] bool contains(const std::string& account, const LoginCode& code, MonotonicTime now) const;

  /// Remembers the code of a password that was verified; the last one for each account.
  /// @param verified  when
  void remember(const std::string& account, const LoginCode& code, MonotonicTime verified);

 private:
  struct Entry {
    LoginCode code;
    MonotonicTime expiry;
  };

  Milliseconds lifetime_;
  LoginCode key_{};                                 ///< never changes
  std::unordered_map<std::string, Entry> entries_;  ///< by account name
};

/// Accounts of which a login is remembered; beyond that, others are forgotten.
inline constexpr std::size_t kMaxVerifiedLogins = 10'000;

}  // namespace waxwing
