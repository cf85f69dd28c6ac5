#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "policy/time_point.h"
#include "relay/daemon/work_pool.h"
#include "relay/queue/account.h"
#include "relay/server/verified_logins.h"

namespace waxwing {

/// Verifies the passwords of all workers. What was found right lately is remembered; what several connections ask at the
/// same time is hashed once, since an application opens its connections together, and the slow hash would cost more than
/// all that they submit. Thread-safe.
class PasswordVerifier {
 public:
  /// Called on a thread of the pool.
  using OnVerified = std::function<void(bool right)>;

  /// The pool must have stopped before this object goes.
  explicit PasswordVerifier(WorkPool& pool) : pool_(pool) {}

  /// Whether this password was found right for the account as it is stored now. Takes the same time for every password
  /// of one length.
  [[nodiscard]] bool remembers(const Account& account, std::string_view password, MonotonicTime now) const;

  /// Hashes the password in the pool; calls back at most once, not when the pool stops first.
  /// @param account  name and hash; two names never share an answer, so that time does not tell whether both are unknown
  /// @param now      from when on a right password is remembered
  /// @return false: too many wait, and nothing will be called
  [[nodiscard]] bool verify(const Account& account, std::string_view password, MonotonicTime now,
                            OnVerified on_verified);

 private:
  void finish(const LoginCode& code, const Account& account, MonotonicTime asked, bool right);

  WorkPool& pool_;
  mutable std::mutex mutex_;
  VerifiedLogins verified_;                                 // guarded by mutex_, but for code_for()
  std::map<LoginCode, std::vector<OnVerified>> under_way_;  // guarded by mutex_
};

}  // namespace waxwing
