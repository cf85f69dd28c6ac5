#include "relay/server/verified_logins.h"

#include <catch2/catch.hpp>

#include <string>

namespace waxwing {
namespace {

constexpr MonotonicTime kNow{};

bool knows(const VerifiedLogins& logins, const Account& account, std::string_view password, MonotonicTime now = kNow) {
  return logins.contains(account.name, logins.code_for(account, password), now);
}

void remember(VerifiedLogins& logins, const Account& account, std::string_view password) {
  logins.remember(account.name, logins.code_for(account, password), kNow);
}

TEST_CASE("a verified password is known until its time is over, and no other one is") {
  VerifiedLogins logins(Milliseconds(1'000));
  const Account app{"app", "", "$y$hash", {}};
  CHECK_FALSE(knows(logins, app, "secret"));
  remember(logins, app, "secret");
  CHECK(knows(logins, app, "secret", kNow + Milliseconds(999)));
  CHECK_FALSE(knows(logins, app, "secret", kNow + Milliseconds(1'000)));
  for (const char* other : {"", "Secret", "secret ", "secre"}) CHECK_FALSE(knows(logins, app, other));
  CHECK_FALSE(knows(logins, Account{"ap", "", "$y$hash", {}}, "secret"));
}

TEST_CASE("a new password of the account counts at once") {
  VerifiedLogins logins;
  remember(logins, Account{"app", "", "$y$old", {}}, "secret");
  CHECK_FALSE(knows(logins, Account{"app", "", "$y$new", {}}, "secret"));
  remember(logins, Account{"app", "", "$y$new", {}}, "other");
  CHECK_FALSE(knows(logins, Account{"app", "", "$y$old", {}}, "secret"));
}

TEST_CASE("another process remembers nothing of this one") {
  const Account app{"app", "", "$y$hash", {}};
  VerifiedLogins one;
  remember(one, app, "secret");
  CHECK_FALSE(knows(VerifiedLogins(), app, "secret"));
}

TEST_CASE("no more than the limit of logins is remembered, and the newest is") {
  VerifiedLogins logins;
  const auto account = [](std::size_t number) { return Account{"app" + std::to_string(number), "", "$y$hash", {}}; };
  for (std::size_t i = 0; i <= kMaxVerifiedLogins; ++i) remember(logins, account(i), "secret");
  std::size_t known = 0;
  for (std::size_t i = 0; i <= kMaxVerifiedLogins; ++i) known += knows(logins, account(i), "secret") ? 1U : 0U;
  CHECK(known == kMaxVerifiedLogins);
  CHECK(knows(logins, account(kMaxVerifiedLogins), "secret"));
}

}  // namespace
}  // namespace waxwing
