#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "relay/daemon/work_pool.h"
#include "relay/queue/account.h"
#include "relay/server/login_throttle.h"
#include "relay/server/sasl.h"
#include "relay/server/verified_logins.h"
#include "relay/store/queue_reader.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {

/// Checks passwords: looks the account up on its loop's thread and hashes in a pool, unless it remembers the login. A
/// login that is remembered waits for nothing, so that guessing does not slow who knows the password. Lives on one
/// event loop, and what it remembers with it.
class Authenticator {
 public:
  /// @errors  Denied: unknown account or wrong password, in the same time and words; Unavailable: the accounts cannot
  ///          be read, or too many logins wait; Exhausted: too many wrong passwords for this user from this address
  using OnChecked = std::function<void(Result<Account>)>;

  /// All references must outlive it, and the pool must have stopped before it goes.
  Authenticator(EventLoop& loop, QueueReader& reader, WorkPool& pool);

  /// Calls back at most once, never inside the call; not when the authenticator goes first.
  /// @param peer  who guesses, if somebody does
  void check(const Credentials& credentials, const IpAddress& peer, OnChecked on_checked);

 private:
  struct Login;
  void look_up(std::shared_ptr<Login> login);
  void delay(std::shared_ptr<Login> login);
  void hash(std::shared_ptr<Login> login);
  void finish(const Login& login, bool right);
  void answer(const Login& login, Result<Account> result);

  EventLoop& loop_;
  QueueReader& reader_;
  WorkPool& pool_;
  VerifiedLogins verified_;
  LoginThrottle throttle_;
  std::list<std::unique_ptr<Timer>> delays_;  ///< of logins that wait for their turn
};

/// Logins that may wait for their turn because of wrong passwords before them.
inline constexpr std::size_t kMaxDelayedLogins = 1'000;

}  // namespace waxwing
