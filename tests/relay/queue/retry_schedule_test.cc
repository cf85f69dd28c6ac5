#include "relay/queue/retry_schedule.h"

#include <catch2/catch.hpp>
#include <set>

using namespace waxwing;

namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};

}  // namespace

TEST_CASE("each failed attempt has its delay, and the last delay repeats") {
  const RetrySchedule schedule({Seconds{100}, Seconds{1'000}, Seconds{10'000}});
  const auto delay_is_near = [&](std::uint32_t attempts, Seconds wanted) {
    const auto delay = schedule.next_attempt(attempts, kNow, 7) - kNow;
    return delay >= wanted * 8 / 10 && delay <= wanted * 12 / 10;
  };
  CHECK(delay_is_near(1, Seconds{100}));
  CHECK(delay_is_near(2, Seconds{1'000}));
  CHECK(delay_is_near(3, Seconds{10'000}));
  CHECK(delay_is_near(4, Seconds{10'000}));
  CHECK(delay_is_near(4'000'000'000, Seconds{10'000}));
}

TEST_CASE("retries of messages that failed together spread over 20 % either way") {
  const RetrySchedule schedule({Seconds{1'000}});
  std::set<WallTime> times;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) times.insert(schedule.next_attempt(1, kNow, seed));
  CHECK(times.size() > 300);
  CHECK(*times.begin() >= kNow + Seconds{800});
  CHECK(*times.begin() < kNow + Seconds{820});
  CHECK(*times.rbegin() <= kNow + Seconds{1'200});
  CHECK(*times.rbegin() > kNow + Seconds{1'180});
}

TEST_CASE("the same seed gives the same time") {
  const RetrySchedule schedule({Seconds{1'000}});
  CHECK(schedule.next_attempt(3, kNow, 42) == schedule.next_attempt(3, kNow, 42));
  CHECK(schedule.next_attempt(3, kNow, 42) != schedule.next_attempt(4, kNow, 42));
}

TEST_CASE("a pace begins further on in the list, and goes no further than it may") {
  const RetrySchedule schedule({Seconds{100}, Seconds{1'000}, Seconds{10'000}});
  const auto delay = [&](std::uint32_t attempts, std::size_t skipped, std::size_t used) {
    return schedule.next_attempt(attempts, kNow, 7, {skipped, used, 1'000, 1'000}) - kNow;
  };
  CHECK(delay(1, 1, 9) == Seconds{1'000});
  CHECK(delay(2, 1, 9) == Seconds{10'000});
  CHECK(delay(1, 50, 9) == Seconds{10'000});
  CHECK(delay(1, 0, 2) == Seconds{100});
  CHECK(delay(9, 0, 2) == Seconds{1'000});
  CHECK(delay(9, 0, 1) == Seconds{100});
}

TEST_CASE("a pace is spread as it says, evenly") {
  const RetrySchedule schedule({Seconds{1'000}});
  std::size_t first_half = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    const auto delay = schedule.next_attempt(1, kNow, seed, {0, 1, 500, 1'500}) - kNow;
    CHECK(delay >= Seconds{500});
    CHECK(delay <= Seconds{1'500});
    if (delay < Seconds{1'000}) ++first_half;
  }
  CHECK(first_half > 4'700);
  CHECK(first_half < 5'300);
}

TEST_CASE("no delay is longer than the longest") {
  const RetrySchedule schedule({Seconds(300), Seconds(7'200), Seconds(60)});
  CHECK(schedule.longest() == Seconds(10'800));
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    CHECK(schedule.next_attempt(2, WallTime{}, seed) <= WallTime{} + schedule.longest());
    CHECK(schedule.next_attempt(2, WallTime{}, seed, {0, 9, 500, kMostSpreadPermille}) <=
          WallTime{} + schedule.longest());
  }
}

TEST_CASE("without delays the default one holds") {
  const auto delay = RetrySchedule({}).next_attempt(1, kNow, 1) - kNow;
  CHECK(delay >= kDefaultRetryDelay * 8 / 10);
  CHECK(delay <= kDefaultRetryDelay * 12 / 10);
}
