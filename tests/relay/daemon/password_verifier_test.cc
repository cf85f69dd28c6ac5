#include "relay/daemon/password_verifier.h"

#include <catch2/catch.hpp>
#include <future>
#include <vector>

#include "relay/store/password.h"

namespace waxwing {
namespace {

constexpr MonotonicTime kNow{};

Account account(const std::string& name, std::string_view password) {
  return {name, "", hash_password(password).value(), {}};
}

/// A pool of one thread, which is kept busy, and in which one task may wait.
class BusyPool {
 public:
  BusyPool() : verifier(pool_) {
    std::promise<void> began;
    const bool taken = pool_.submit([this, &began] {
      began.set_value();
      free_.get_future().wait();
    });
    REQUIRE(taken);
    began.get_future().wait();
  }
  ~BusyPool() { pool_.stop(); }

  void free() { free_.set_value(); }

  /// Asks now; what it is told later.
  std::future<bool> ask(const Account& account, std::string_view password) {
    auto told = std::make_shared<std::promise<bool>>();
    REQUIRE(verifier.verify(account, password, kNow, [told](bool right) { told->set_value(right); }));
    return told->get_future();
  }

 private:
  std::promise<void> free_;
  WorkPool pool_{1, 1};

 public:
  PasswordVerifier verifier;
};

TEST_CASE("what many ask at the same time is hashed once, and all are told") {
  BusyPool bench;
  const Account app = account("app", "secret");
  std::vector<std::future<bool>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(bench.ask(app, "secret"));
  bench.free();
  for (std::future<bool>& answer : answers) CHECK(answer.get());
  CHECK(bench.verifier.remembers(app, "secret", kNow));
}

TEST_CASE("another password, account or hash is another question") {
  BusyPool bench;
  const Account app = account("app", "secret");
  const auto answer = bench.ask(app, "secret");
  const auto refused = [&](const Account& other, std::string_view password) {
    return !bench.verifier.verify(other, password, kNow, [](bool) {});
  };
  Account other = app;
  other.name = "other";
  CHECK(refused(other, "secret"));
  CHECK(refused(app, "Secret"));
  CHECK(refused(account("app", "secret"), "secret"));
  bench.free();
}

TEST_CASE("a wrong password is told to all, and asked anew") {
  BusyPool bench;
  const Account app = account("app", "secret");
  auto first = bench.ask(app, "guess");
  auto second = bench.ask(app, "guess");
  bench.free();
  CHECK_FALSE(first.get());
  CHECK_FALSE(second.get());
  CHECK_FALSE(bench.verifier.remembers(app, "guess", kNow));
  CHECK_FALSE(bench.ask(app, "guess").get());
}

}  // namespace
}  // namespace waxwing
