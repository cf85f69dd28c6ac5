#include "relay/server/login_throttle.h"

#include <catch2/catch.hpp>

#include <string>

namespace waxwing {
namespace {

const IpAddress kHere = IpAddress::parse("192.0.2.1").value();
const IpAddress kThere = IpAddress::parse("192.0.2.2").value();
constexpr MonotonicTime kNow{};

/// A throttle that has seen so many wrong passwords of "app" from kHere.
struct AfterFailures : LoginThrottle {
  explicit AfterFailures(unsigned count) {
    for (unsigned i = 0; i < count; ++i) on_wrong_password("app", kHere, kNow);
  }
};

TEST_CASE("each wrong password makes the next login wait twice as long, up to a limit") {
  CHECK(AfterFailures(0).admit("app", kHere, kNow) == Milliseconds(0));
  CHECK(AfterFailures(1).admit("app", kHere, kNow) == kFirstLoginDelay);
  CHECK(AfterFailures(2).admit("app", kHere, kNow) == 2 * kFirstLoginDelay);
  CHECK(AfterFailures(5).admit("app", kHere, kNow) == 16 * kFirstLoginDelay);
  for (const unsigned many : {6U, 100U}) CHECK(AfterFailures(many).admit("app", kHere, kNow) == kLongestLoginDelay);
}

TEST_CASE("whoever waits long enough on his own is not kept longer") {
  AfterFailures throttle(2);
  CHECK(throttle.admit("app", kHere, kNow + 2 * kFirstLoginDelay) == Milliseconds(0));
}

TEST_CASE("logins at the same time wait one behind the other, and are turned away when the queue is long") {
  AfterFailures throttle(100);
  for (Milliseconds wait = kLongestLoginDelay; wait <= kLongestLoginQueue; wait += kLongestLoginDelay)
    CHECK(throttle.admit("app", kHere, kNow) == wait);
  CHECK_FALSE(throttle.admit("app", kHere, kNow));
  CHECK(throttle.admit("app", kHere, kNow + kLongestLoginDelay));
}

TEST_CASE("nobody else is slowed, and neither is the user from another address") {
  AfterFailures throttle(100);
  CHECK(throttle.admit("app", kThere, kNow) == Milliseconds(0));
  CHECK(throttle.admit("shop", kHere, kNow) == Milliseconds(0));
}

TEST_CASE("a right password and time make failures forgotten") {
  AfterFailures right(3);
  right.on_right_password("app", kHere);
  CHECK(right.admit("app", kHere, kNow) == Milliseconds(0));
  CHECK(AfterFailures(3).admit("app", kHere, kNow + kLoginFailureMemory) == Milliseconds(0));
}

TEST_CASE("the addresses of one IPv6 network are one guesser") {
  LoginThrottle throttle;
  throttle.on_wrong_password("app", IpAddress::parse("2001:db8::1").value(), kNow);
  CHECK(throttle.admit("app", IpAddress::parse("2001:db8::ffff:2").value(), kNow) == kFirstLoginDelay);
  CHECK(throttle.admit("app", IpAddress::parse("2001:db8:0:1::1").value(), kNow) == Milliseconds(0));
}

TEST_CASE("names that were made up do not make a guesser forgotten") {
  AfterFailures throttle(2);
  for (std::size_t i = 0; i < kMaxThrottledLogins + 10; ++i)
    throttle.on_wrong_password("made-up-" + std::to_string(i), kThere, kNow);
  CHECK(throttle.admit("app", kHere, kNow) == 2 * kFirstLoginDelay);
}

}  // namespace
}  // namespace waxwing
