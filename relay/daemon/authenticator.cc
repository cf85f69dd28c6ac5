#include "relay/daemon/authenticator.h"

#include <memory>
#include <utility>

#include "relay/store/password.h"

namespace waxwing {

Authenticator::Authenticator(EventLoop& loop, QueueReader& reader, WorkPool& pool)
    : loop_(loop), reader_(reader), pool_(pool) {}

void Authenticator::check(const Credentials& credentials, OnChecked on_checked) {
  auto found = reader_.find_account(credentials.user);
  const bool known = found.has_value();
  if (!known && found.error().kind != ErrorKind::NotFound) {
    return loop_.post(
        [on_checked = std::move(on_checked), error = found.error()] { on_checked(tl::unexpected(error)); });
  }
  Account account = known ? std::move(*found) : Account();
  if (!known) account.password_hash = dummy_password_hash();
  // Shared, since a task must be copyable; the password wipes itself with the last holder.
  auto claimed = std::make_shared<Credentials>(credentials.user, credentials.password);
  const bool taken = pool_.submit([this, claimed, known, account = std::move(account), on_checked]() mutable {
    const bool right = verify_password(claimed->password, account.password_hash) && known;
    claimed.reset();
    loop_.post([right, account = std::move(account), on_checked = std::move(on_checked)] {
      if (!right) return on_checked(fail(ErrorKind::Denied, "user or password is wrong"));
      on_checked(account);
    });
  });
  if (!taken) {
    loop_.post(
        [on_checked = std::move(on_checked)] { on_checked(fail(ErrorKind::Unavailable, "too many logins wait")); });
  }
}

}  // namespace waxwing
