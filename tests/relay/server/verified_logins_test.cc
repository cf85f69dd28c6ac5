#include "relay/server/verified_logins.h"

#include <catch2/catch.hpp>

#include <string>

namespace waxwing {
namespace {

constexpr MonotonicTime kNow{};

TEST_CASE("a verified password is known until its time is over, and no other one is") {
  VerifiedLogins logins(Milliseconds(1'000));
  const Account app{"app", "", "$y$hash", {}};
  CHECK_FALSE(logins.contains(app, "secret", kNow));
  logins.remember(app, "secret", kNow);
  CHECK(logins.contains(app, "secret", kNow + Milliseconds(999)));
  CHECK_FALSE(logins.contains(app, "secret", kNow + Milliseconds(1'000)));
  for (const char* other : {"", "Secret", "secret ", "secre"}) CHECK_FALSE(logins.contains(app, other, kNow));
  CHECK_FALSE(logins.contains(Account{"ap", "", "$y$hash", {}}, "secret", kNow));
}

TEST_CASE("a new password of the account counts at once") {
  VerifiedLogins logins;
  logins.remember(Account{"app", "", "$y$old", {}}, "secret", kNow);
  CHECK_FALSE(logins.contains(Account{"app", "", "$y$new", {}}, "secret", kNow));
  logins.remember(Account{"app", "", "$y$new", {}}, "other", kNow);
  CHECK_FALSE(logins.contains(Account{"app", "", "$y$old", {}}, "secret", kNow));
}

TEST_CASE("another process remembers nothing of this one") {
  const Account app{"app", "", "$y$hash", {}};
  VerifiedLogins one;
  one.remember(app, "secret", kNow);
  CHECK_FALSE(VerifiedLogins().contains(app, "secret", kNow));
}

TEST_CASE("no more than the limit of logins is remembered, and the newest is") {
  VerifiedLogins logins;
  const auto account = [](std::size_t number) { return Account{"app" + std::to_string(number), "", "$y$hash", {}}; };
  for (std::size_t i = 0; i <= kMaxVerifiedLogins; ++i) logins.remember(account(i), "secret", kNow);
  std::size_t known = 0;
  for (std::size_t i = 0; i <= kMaxVerifiedLogins; ++i) known += logins.contains(account(i), "secret", kNow) ? 1U : 0U;
  CHECK(known == kMaxVerifiedLogins);
  CHECK(logins.contains(account(kMaxVerifiedLogins), "secret", kNow));
}

}  // namespace
}  // namespace waxwing
