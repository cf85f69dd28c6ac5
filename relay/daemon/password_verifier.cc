#include "relay/daemon/password_verifier.h"

#include <memory>
#include <utility>

#include "policy/secret.h"
#include "relay/store/password.h"

namespace waxwing {

bool PasswordVerifier::remembers(const Account& account, std::string_view password, MonotonicTime now) const {
  const LoginCode code = verified_.code_for(account, password);
  const std::lock_guard lock(mutex_);
  return verified_.contains(account.name, code, now);
}

bool PasswordVerifier::verify(const Account& account, std::string_view password, MonotonicTime now,
                              OnVerified on_verified) {
  const LoginCode code = verified_.code_for(account, password);
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = under_way_.try_emplace(code);
  place->second.push_back(std::move(on_verified));
  if (!is_new) return true;
  const bool taken = pool_.submit([this, code, account, now, secret = std::make_shared<const Secret>(password)] {
    finish(code, account, now, verify_password(secret->reveal(), account.password_hash));
  });
  if (!taken) under_way_.erase(place);
  return taken;
}

// In one step with what is remembered: whoever asks after it, and is not answered by it, finds it remembered.
void PasswordVerifier::finish(const LoginCode& code, const Account& account, MonotonicTime asked, bool right) {
  std::vector<OnVerified> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::move(under_way_.extract(code).mapped());
    if (right) verified_.remember(account.name, code, asked);
  }
  for (const OnVerified& on_verified : waiting) on_verified(right);
}

}  // namespace waxwing
