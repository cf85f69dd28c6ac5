#include "relay/daemon/authenticator.h"

#include <optional>
#include <utility>

#include "relay/server/scram_decoy.h"
#include "relay/store/password.h"

namespace waxwing {

// One login under way. The password wipes itself with it.
struct Authenticator::Login {
  Credentials claimed;  // without a password where SCRAM has proven it, or not
  IpAddress peer;
  OnChecked on_checked;
  Account account;  // with a hash of no password when there is none of this name
  bool known = false;
  std::optional<bool> proven{};  // by SCRAM
  std::optional<Timer> delay;    // while it waits for its turn
};

Authenticator::Authenticator(EventLoop& loop, QueueReader& reader, PasswordVerifier& passwords, LoginThrottle& throttle,
                             const Secret& scram_secret)
    : loop_(loop), reader_(reader), passwords_(passwords), throttle_(throttle), scram_secret_(scram_secret) {}

Authenticator::~Authenticator() = default;

Authenticator::Number Authenticator::begin(Credentials claimed, const IpAddress& peer, OnChecked on_checked) {
  const Number number = next_++;
  Login& login = logins_[number];
  login.claimed = std::move(claimed);
  login.peer = peer;
  login.on_checked = std::move(on_checked);
  return number;
}

void Authenticator::check(const Credentials& credentials, const IpAddress& peer, OnChecked on_checked) {
  look_up(begin({credentials.user, Secret(credentials.password.reveal())}, peer, std::move(on_checked)));
}

void Authenticator::look_up(Number number) {
  Login& login = logins_.at(number);
  auto found = reader_.find_account(login.claimed.user);
  login.known = found.has_value() && !found->password_hash.empty();
  if (!found && found.error().kind != ErrorKind::NotFound) return answer(number, tl::unexpected(found.error()));
  if (login.known) {
    login.account = std::move(*found);
  } else {
    login.account.name = login.claimed.user;
    login.account.password_hash = dummy_password_hash();
  }
  if (passwords_.remembers(login.account, login.claimed.password.reveal(), loop_.now()) && login.known)
    return answer(number, login.account);
  delay(number);
}

// Both are done for every user, so that time does not tell which names exist.
Result<ScramKeys> Authenticator::scram_keys(const std::string& user) {
  ScramKeys of_nobody = scram_decoy(scram_secret_, user);
  const auto account = reader_.find_account(user);
  if (!account && account.error().kind != ErrorKind::NotFound) return tl::unexpected(account.error());
  auto keys = parse_scram_keys(account ? account->scram_keys : std::string());
  return keys ? std::move(*keys) : std::move(of_nobody);
}

void Authenticator::settle(const ScramServer& exchange, const IpAddress& peer, OnChecked on_checked) {
  const Number number = begin({exchange.user(), Secret()}, peer, std::move(on_checked));
  Login& login = logins_.at(number);
  auto found = reader_.find_account(exchange.user());
  if (!found && found.error().kind != ErrorKind::NotFound) return answer(number, tl::unexpected(found.error()));
  login.known = found.has_value();
  if (login.known) login.account = std::move(*found);
  const auto keys = parse_scram_keys(login.account.scram_keys);
  login.proven =
      exchange.is_proven() && keys && scram_equal(keys->stored_key.reveal(), exchange.keys().stored_key.reveal());
  const LoginCode code = proven_.code_for(login.account, login.account.scram_keys);
  if (proven_.contains(login.account.name, code, loop_.now()) && *login.proven) return answer(number, login.account);
  delay(number);
}

void Authenticator::delay(Number number) {
  Login& login = logins_.at(number);
  const std::optional<Milliseconds> wait = throttle_.admit(login.claimed.user, login.peer, loop_.now());
  if (!wait || delayed_ >= kMaxDelayedLogins)
    return answer(number, fail(ErrorKind::Exhausted, "too many wrong passwords for this user from this address"));
  if (*wait == Milliseconds(0)) return verify(number);
  ++delayed_;
  login.delay.emplace(loop_, [this, number] {
    --delayed_;
    verify(number);
  });
  login.delay->start(*wait);
}

void Authenticator::verify(Number number) {
  const Login& login = logins_.at(number);
  if (login.proven) return loop_.post([this, number, right = *login.proven] { finish(number, right); });
  const bool taken =
      passwords_.verify(login.account, login.claimed.password.reveal(), loop_.now(),
                        [this, number](bool right) { loop_.post([this, number, right] { finish(number, right); }); });
  if (!taken) answer(number, fail(ErrorKind::Unavailable, "too many logins wait"));
}

void Authenticator::finish(Number number, bool right) {
  const auto node = logins_.extract(number);
  const Login& login = node.mapped();
  if (!right || !login.known) {
    throttle_.on_wrong_password(login.claimed.user, login.peer, loop_.now());
    const bool lacks_keys = login.proven && login.known && login.account.scram_keys.empty();
    return login.on_checked(fail(ErrorKind::Denied, lacks_keys ? "the account has no SCRAM keys; set its password again"
                                                               : "user or password is wrong"));
  }
  throttle_.on_right_password(login.claimed.user, login.peer);
  if (login.proven) {
    const LoginCode code = proven_.code_for(login.account, login.account.scram_keys);
    proven_.remember(login.account.name, code, loop_.now());
  }
  login.on_checked(login.account);
}

void Authenticator::answer(Number number, Result<Account> result) {
  auto node = logins_.extract(number);
  loop_.post([on_checked = std::move(node.mapped().on_checked), result = std::move(result)] { on_checked(result); });
}

}  // namespace waxwing
