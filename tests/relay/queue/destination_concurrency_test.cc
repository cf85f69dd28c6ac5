#include "relay/queue/destination_concurrency.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

using namespace waxwing;

namespace {

using Feedback = DestinationConcurrency::Feedback;
using Change = DestinationConcurrency::Change;

const WallTime kNow{Milliseconds{1'769'860'800'000}};
const std::string kDomain = "far.example";

DestinationConcurrency make(std::size_t initial = 5, std::size_t most = 20, std::size_t cohorts = 1) {
  return {{initial, most, cohorts, 7}, RetrySchedule({Seconds(300), Seconds(600), Seconds(100'000)})};
}

void repeat(DestinationConcurrency& concurrency, Feedback feedback, int times, WallTime now = kNow) {
  for (int i = 0; i < times; ++i) (void)concurrency.on_result(kDomain, feedback, now);
}

}  // namespace

TEST_CASE("a destination that nothing is known of gets the initial number of attempts") {
  CHECK(make(5).limit(kDomain) == 5);
  CHECK(make(50, 20).limit(kDomain) == 20);
  CHECK(make(0, 0).limit(kDomain) == 1);
}

TEST_CASE("the window grows by one for each window full of attempts that reach the host, up to the most") {
  DestinationConcurrency concurrency = make();
  repeat(concurrency, Feedback::Reached, 4);
  CHECK(concurrency.limit(kDomain) == 5);
  repeat(concurrency, Feedback::Reached, 2);
  CHECK(concurrency.limit(kDomain) == 6);
  repeat(concurrency, Feedback::Reached, 1'000);
  CHECK(concurrency.limit(kDomain) == 20);
}

TEST_CASE("a change is told once, when the number changes") {
  DestinationConcurrency concurrency = make(1);
  CHECK(concurrency.on_result(kDomain, Feedback::Reached, kNow) == std::vector<Change>{{kDomain, 2}});
  CHECK(concurrency.on_result(kDomain, Feedback::Reached, kNow).empty());
  CHECK(concurrency.on_result(kDomain, Feedback::Unknown, kNow).empty());
  CHECK(concurrency.on_result(kDomain, Feedback::Unreached, kNow) == std::vector<Change>{{kDomain, 1}});
}

TEST_CASE("single failures shrink the window and pause nothing as long as others succeed") {
  DestinationConcurrency concurrency = make();
  for (int i = 0; i < 1'000; ++i) {
    (void)concurrency.on_result(kDomain, Feedback::Unreached, kNow);
    CHECK(concurrency.limit(kDomain) >= 1);
    (void)concurrency.on_result(kDomain, Feedback::Reached, kNow);
    CHECK_FALSE(concurrency.paused_until(kDomain));
  }
}

TEST_CASE("a cohort of failures in a row pauses the domain, and then one attempt is made") {
  DestinationConcurrency concurrency = make();
  repeat(concurrency, Feedback::Unreached, 3);
  CHECK(concurrency.limit(kDomain) == 2);
  CHECK(concurrency.on_result(kDomain, Feedback::Unreached, kNow) == std::vector<Change>{{kDomain, 0}});
  const auto end = concurrency.paused_until(kDomain);
  REQUIRE(end);
  CHECK(*end >= kNow + Seconds(240));
  CHECK(*end <= kNow + Seconds(360));
  CHECK(concurrency.next_resume() == end);
  CHECK(concurrency.resume(*end - Milliseconds(1)).empty());
  CHECK(concurrency.resume(*end) == std::vector<Change>{{kDomain, 1}});
  CHECK_FALSE(concurrency.next_resume());
}

TEST_CASE("an attempt that reaches the host after a pause opens the window again") {
  DestinationConcurrency concurrency = make();
  repeat(concurrency, Feedback::Unreached, 4);
  (void)concurrency.resume(*concurrency.next_resume());
  CHECK(concurrency.on_result(kDomain, Feedback::Reached, kNow) == std::vector<Change>{{kDomain, 5}});
}

TEST_CASE("each pause in a row is longer, none is longer than an hour, and success begins anew") {
  DestinationConcurrency concurrency = make();
  repeat(concurrency, Feedback::Unreached, 4);
  const auto fail_again = [&concurrency] {
    const WallTime end = *concurrency.next_resume();
    (void)concurrency.resume(end);
    (void)concurrency.on_result(kDomain, Feedback::Unreached, end);
    return *concurrency.paused_until(kDomain) - end;
  };
  CHECK(fail_again() >= Seconds(480));
  CHECK(fail_again() == kLongestPause);
  CHECK(fail_again() == kLongestPause);
  (void)concurrency.resume(*concurrency.next_resume());
  (void)concurrency.on_result(kDomain, Feedback::Reached, kNow);
  repeat(concurrency, Feedback::Unreached, 4);
  CHECK(*concurrency.paused_until(kDomain) <= kNow + Seconds(360));
}

TEST_CASE("attempts that were under way when the pause began do not prolong it, and one that succeeds ends it") {
  DestinationConcurrency concurrency = make();
  repeat(concurrency, Feedback::Unreached, 4);
  const auto end = concurrency.paused_until(kDomain);
  repeat(concurrency, Feedback::Unreached, 10, kNow + Seconds(10));
  CHECK(concurrency.paused_until(kDomain) == end);
  CHECK(concurrency.on_result(kDomain, Feedback::Reached, kNow) == std::vector<Change>{{kDomain, 5}});
  CHECK_FALSE(concurrency.next_resume());
}

TEST_CASE("an operator who wants a domain tried ends its pause") {
  DestinationConcurrency concurrency = make();
  repeat(concurrency, Feedback::Unreached, 4);
  CHECK(concurrency.forget(kDomain) == std::vector<Change>{{kDomain, 5}});
  CHECK_FALSE(concurrency.next_resume());
  CHECK(concurrency.forget(kDomain).empty());
}

TEST_CASE("without failed cohorts nothing is ever paused") {
  DestinationConcurrency concurrency = make(5, 20, 0);
  repeat(concurrency, Feedback::Unreached, 1'000);
  CHECK(concurrency.limit(kDomain) == 1);
  CHECK_FALSE(concurrency.next_resume());
}

TEST_CASE("what is known is bounded, and what is forgotten is told") {
  DestinationConcurrency concurrency = make(1);
  (void)concurrency.on_result("first.example", Feedback::Reached, kNow);
  std::vector<Change> changes;
  for (std::size_t i = 0; i < kMaxKnownDestinations; ++i)
    changes = concurrency.on_result("d" + std::to_string(i) + ".example", Feedback::Reached, kNow);
  CHECK(concurrency.size() == kMaxKnownDestinations);
  REQUIRE(changes.size() == 2);
  CHECK(changes.front() == Change{"first.example", 1});
}

// Whatever happens in whatever order: the limit is 0 exactly while the domain is paused, else from 1 to the most, the
// changes that were told add up to it, and a pause has an end that resume() knows.
TEST_CASE("any history keeps the limit within its bounds and tells every change") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const std::size_t most = 1 + random() % 30;
    DestinationConcurrency concurrency = make(1 + random() % most, most, random() % 3);
    std::size_t told = concurrency.limit(kDomain);
    WallTime now = kNow;
    for (int step = 0; step < 300; ++step) {
      now += Seconds(random() % 200);
      std::vector<Change> changes;
      switch (random() % 8) {
        case 0:
          changes = concurrency.forget(kDomain);
          break;
        case 1:
          changes = concurrency.resume(now);
          break;
        case 2:
        case 3:
          changes = concurrency.on_result(kDomain, Feedback::Reached, now);
          break;
        default:
          changes = concurrency.on_result(kDomain, Feedback::Unreached, now);
      }
      for (const Change& change : changes) told = change.limit;
      REQUIRE(told == concurrency.limit(kDomain));
      REQUIRE((told == 0) == concurrency.paused_until(kDomain).has_value());
      REQUIRE(told <= most);
      REQUIRE(concurrency.next_resume() == concurrency.paused_until(kDomain));
    }
  }
}

TEST_CASE("no pause outlasts the longest one when the clock is set back") {
  DestinationConcurrency concurrency = make(1);
  repeat(concurrency, Feedback::Unreached, 1);
  REQUIRE(concurrency.paused_until(kDomain));
  const WallTime earlier = kNow - Seconds(1'000'000);
  concurrency.bring_forward(earlier);
  CHECK(concurrency.paused_until(kDomain) == earlier + kLongestPause);
  CHECK(concurrency.next_resume() == earlier + kLongestPause);
  CHECK(concurrency.resume(earlier + kLongestPause).size() == 1);
  CHECK_FALSE(concurrency.next_resume());
}

TEST_CASE("a destination that does not know us is paused at once, longer each time") {
  DestinationConcurrency concurrency = make();
  CHECK(concurrency.on_result(kDomain, Feedback::Refused, kNow) == std::vector<Change>{{kDomain, 0}});
  const auto first = concurrency.paused_until(kDomain);
  REQUIRE(first);
  CHECK(concurrency.on_result(kDomain, Feedback::Refused, kNow + Seconds(1)).empty());  // it was under way
  CHECK(concurrency.paused_until(kDomain) == first);
  CHECK(concurrency.resume(*first) == std::vector<Change>{{kDomain, 1}});
  (void)concurrency.on_result(kDomain, Feedback::Refused, *first);
  const auto second = concurrency.paused_until(kDomain);
  REQUIRE(second);
  CHECK(*second - *first > *first - kNow);
  CHECK(concurrency.forget(kDomain) == std::vector<Change>{{kDomain, 5}});
}
