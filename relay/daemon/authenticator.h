#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "relay/daemon/password_verifier.h"
#include "relay/queue/account.h"
#include "relay/server/login_throttle.h"
#include "relay/server/sasl.h"
#include "relay/store/queue_reader.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {

/// Checks passwords: looks the account up on its loop's thread and has the password verified, unless it is remembered. A
/// login that is remembered waits for nothing, so that guessing does not slow who knows the password. Lives on one
/// event loop.
class Authenticator {
 public:
  /// @errors  Denied: unknown account or wrong password, in the same time and words; Unavailable: the accounts cannot
  ///          be read, or too many logins wait; Exhausted: too many wrong passwords for this user from this address
  using OnChecked = std::function<void(Result<Account>)>;

  /// All references must outlive it, and the verifier's pool must have stopped before it goes.
  /// @param passwords, throttle  those of all workers
  Authenticator(EventLoop& loop, QueueReader& reader, PasswordVerifier& passwords, LoginThrottle& throttle);
  ~Authenticator();

  /// Calls back at most once, never inside the call; not when the authenticator goes first.
  /// @param peer  who guesses, if somebody does
  void check(const Credentials& credentials, const IpAddress& peer, OnChecked on_checked);

 private:
  struct Login;
  using Number = std::uint64_t;
  void look_up(Number number);
  void delay(Number number);
  void verify(Number number);
  void finish(Number number, bool right);
  void answer(Number number, Result<Account> result);

  EventLoop& loop_;
  QueueReader& reader_;
  PasswordVerifier& passwords_;
  LoginThrottle& throttle_;
  std::map<Number, Login> logins_;  ///< under way; other threads know no more of them than their numbers
  Number next_ = 0;
  std::size_t delayed_ = 0;
};

/// Logins of a worker that may wait for their turn because of wrong passwords before them.
inline constexpr std::size_t kMaxDelayedLogins = 1'000;

}  // namespace waxwing
