#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "policy/scram_server.h"
#include "policy/secret.h"
#include "relay/daemon/password_verifier.h"
#include "relay/queue/account.h"
#include "relay/server/login_throttle.h"
#include "relay/server/sasl.h"
#include "relay/server/verified_logins.h"
#include "relay/store/queue_reader.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {

/// Checks passwords, said or proven by SCRAM: looks the account up on its loop's thread and has a password verified,
/// unless it is remembered. A login that is remembered waits for nothing, so that guessing does not slow who knows the
/// password. Lives on one event loop.
class Authenticator {
 public:
  /// @errors  Denied: unknown account or wrong password, in the same time, with a detail for the log alone; Unavailable: the accounts cannot
  ///          be read, or too many logins wait; Exhausted: too many wrong passwords for this user from this address
  using OnChecked = std::function<void(Result<Account>)>;

  /// All references must outlive it, and the verifier's pool must have stopped before it goes.
  /// @param passwords, throttle  those of all workers
  /// @param scram_secret         of scram_decoy()
  Authenticator(EventLoop& loop, QueueReader& reader, PasswordVerifier& passwords, LoginThrottle& throttle,
                const Secret& scram_secret);
  ~Authenticator();

  /// Calls back at most once, never inside the call; not when the authenticator goes first.
  /// @param peer  who guesses, if somebody does
  void check(const Credentials& credentials, const IpAddress& peer, OnChecked on_checked);

  /// What a SCRAM exchange with this user is held with: keys of nobody where there are none.
  /// @errors  Unavailable: the accounts cannot be read
  [[nodiscard]] Result<ScramKeys> scram_keys(const std::string& user);

  /// Settles an exchange that was held with those keys, as check() does with a password. A password that was changed
  /// meanwhile counts.
  void settle(const ScramServer& exchange, const IpAddress& peer, OnChecked on_checked);

 private:
  struct Login;
  using Number = std::uint64_t;
  [[nodiscard]] Number begin(Credentials claimed, const IpAddress& peer, OnChecked on_checked);
  void look_up(Number number);
  void delay(Number number);
  void verify(Number number);
  void finish(Number number, bool right);
  void answer(Number number, Result<Account> result);

  EventLoop& loop_;
  QueueReader& reader_;
  PasswordVerifier& passwords_;
  LoginThrottle& throttle_;
  const Secret& scram_secret_;
  VerifiedLogins proven_;           ///< by SCRAM; with the keys in place of a password
  std::map<Number, Login> logins_;  ///< under way; other threads know no more of them than their numbers
  Number next_ = 0;
  std::size_t delayed_ = 0;
};

/// Logins of a worker that may wait for their turn because of wrong passwords before them.
inline constexpr std::size_t kMaxDelayedLogins = 1'000;

}  // namespace waxwing
