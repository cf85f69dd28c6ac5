#include "relay/daemon/authenticator.h"

#include <memory>
#include <optional>
#include <utility>

#include "relay/store/password.h"

namespace waxwing {

// One login under way. Shared, since tasks must be copyable; the password wipes itself with the last holder.
struct Authenticator::Login {
  Credentials claimed;
  IpAddress peer;
  OnChecked on_checked;
  Account account;  // with a hash of no password when there is none of this name
  bool known = false;
};

Authenticator::Authenticator(EventLoop& loop, QueueReader& reader, WorkPool& pool)
    : loop_(loop), reader_(reader), pool_(pool) {}

void Authenticator::check(const Credentials& credentials, const IpAddress& peer, OnChecked on_checked) {
  auto login = std::make_shared<Login>();
  login->claimed = {credentials.user, Secret(credentials.password.reveal())};
  login->peer = peer;
  login->on_checked = std::move(on_checked);
  look_up(std::move(login));
}

void Authenticator::look_up(std::shared_ptr<Login> login) {
  auto found = reader_.find_account(login->claimed.user);
  login->known = found.has_value() && !found->password_hash.empty();
  if (!found && found.error().kind != ErrorKind::NotFound) return answer(*login, tl::unexpected(found.error()));
  if (login->known)
    login->account = std::move(*found);
  else
    login->account.password_hash = dummy_password_hash();
  if (verified_.contains(login->account, login->claimed.password.reveal(), loop_.now()) && login->known)
    return answer(*login, login->account);
  delay(std::move(login));
}

void Authenticator::delay(std::shared_ptr<Login> login) {
  const std::optional<Milliseconds> wait = throttle_.admit(login->claimed.user, login->peer, loop_.now());
  if (!wait || delays_.size() >= kMaxDelayedLogins)
    return answer(*login, fail(ErrorKind::Exhausted, "too many wrong passwords for this user from this address"));
  if (*wait == Milliseconds(0)) return hash(std::move(login));
  const auto place = delays_.insert(delays_.end(), nullptr);
  *place = std::make_unique<Timer>(loop_, [this, place, login] {
    const std::shared_ptr<Login> due = login;  // the timer goes, and what it captured with it
    delays_.erase(place);
    hash(due);
  });
  (*place)->start(*wait);
}

void Authenticator::hash(std::shared_ptr<Login> login) {
  const bool taken = pool_.submit([this, login] {
    const bool right = verify_password(login->claimed.password.reveal(), login->account.password_hash) && login->known;
    loop_.post([this, login, right] { finish(*login, right); });
  });
  if (!taken) answer(*login, fail(ErrorKind::Unavailable, "too many logins wait"));
}

void Authenticator::finish(const Login& login, bool right) {
  if (!right) {
    throttle_.on_wrong_password(login.claimed.user, login.peer, loop_.now());
    return login.on_checked(fail(ErrorKind::Denied, "user or password is wrong"));
  }
  throttle_.on_right_password(login.claimed.user, login.peer);
  verified_.remember(login.account, login.claimed.password.reveal(), loop_.now());
  login.on_checked(login.account);
}

void Authenticator::answer(const Login& login, Result<Account> result) {
  loop_.post([on_checked = login.on_checked, result = std::move(result)] { on_checked(result); });
}

}  // namespace waxwing
