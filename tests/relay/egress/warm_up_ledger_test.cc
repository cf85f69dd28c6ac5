#include "relay/egress/warm_up_ledger.h"

#include <catch2/catch.hpp>
#include <string>

#include "relay/egress/egress_source.h"

namespace waxwing {
namespace {

using Place = WarmUpLedger::Place;
constexpr std::int64_t kDay = 20'000;

TEST_CASE("a warm-up allows what its list says, nothing before it and anything after it") {
  const WarmUp warm_up{WallTime(std::chrono::days(kDay)), {50, 100}};
  CHECK(warm_up.allowance(kDay - 1) == 0);
  CHECK(warm_up.allowance(kDay) == 50);
  CHECK(warm_up.allowance(kDay + 1) == 100);
  CHECK_FALSE(warm_up.allowance(kDay + 2));
}

TEST_CASE("attempts under way hold their places, and give back those that were not needed") {
  WarmUpLedger ledger;
  CHECK(ledger.look("a", "p", 2, kDay) == Place::Free);
  ledger.reserve("a", "p", kDay);
  ledger.reserve("a", "p", kDay);
  CHECK(ledger.look("a", "p", 2, kDay) == Place::Taken);
  CHECK(ledger.look("a", "q", 2, kDay) == Place::Free);
  CHECK(ledger.look("b", "p", 2, kDay) == Place::Free);
  ledger.give_back("a", "p", kDay);
  CHECK(ledger.look("a", "p", 2, kDay) == Place::Free);
  ledger.spend("a", "p", kDay);
  CHECK(ledger.look("a", "p", 2, kDay) == Place::Free);
  CHECK(ledger.look("a", "p", 1, kDay) == Place::UsedUp);
  CHECK(ledger.look("c", "p", 0, kDay) == Place::UsedUp);
}

TEST_CASE("each day begins with nothing used, and places of the day before count nowhere") {
  WarmUpLedger ledger;
  ledger.reserve("a", "p", kDay);
  CHECK(ledger.look("a", "p", 1, kDay + 1) == Place::Free);
  ledger.spend("a", "p", kDay);
  CHECK(ledger.look("a", "p", 1, kDay + 1) == Place::Free);
  CHECK(ledger.take_changes().empty());
}

TEST_CASE("a clock that goes back over midnight opens no second day") {
  WarmUpLedger ledger;
  ledger.reserve("a", "p", kDay);
  ledger.spend("a", "p", kDay);
  CHECK(ledger.look("a", "p", 1, kDay - 1) == Place::UsedUp);
  CHECK(ledger.look("a", "p", 1, kDay) == Place::UsedUp);
}

TEST_CASE("what was used is given to be written down once, and again when that failed") {
  WarmUpLedger ledger;
  ledger.load({{"a", "p", kDay, 7}, {"a", "p", kDay - 1, 9}}, kDay);
  CHECK(ledger.take_changes().empty());
  CHECK(ledger.look("a", "p", 7, kDay) == Place::UsedUp);
  ledger.reserve("a", "p", kDay);
  CHECK(ledger.take_changes().empty());
  ledger.spend("a", "p", kDay);
  const auto changes = ledger.take_changes();
  CHECK(changes == std::vector<WarmUpUse>{{"a", "p", kDay, 8}});
  CHECK(ledger.take_changes().empty());
  ledger.not_written(changes);
  CHECK(ledger.take_changes() == changes);
}

TEST_CASE("when all pairs of a day are in use, there is no place for another, and the next day there is") {
  WarmUpLedger ledger;
  for (std::size_t i = 0; i < kMaxWarmUpPairs; ++i) ledger.reserve("a", std::to_string(i), kDay);
  CHECK(ledger.look("a", "another", 9, kDay) == Place::UsedUp);
  CHECK(ledger.look("a", "5", 9, kDay) == Place::Free);
  CHECK(ledger.look("a", "another", 9, kDay + 1) == Place::Free);
}

}  // namespace
}  // namespace waxwing
