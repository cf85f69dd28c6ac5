#include "relay/store/egress_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "relay/egress/egress_source.h"
#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;

namespace {

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + std::chrono::hours(9);
const std::int64_t kDay = day_of(kNow);

std::unique_ptr<SqliteQueueStore> open_store(const TemporaryDirectory& directory) {
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  return std::move(*store);
}

EgressPause pause(const std::string& source, const std::string& provider, Seconds left) {
  return {source, provider, kNow + left, "rate", "421 4.7.0 slow down"};
}

}  // namespace

TEST_CASE("what sources sent, and which of them rest, is there after a restart") {
  const TemporaryDirectory directory;
  const std::vector<WarmUpUse> uses = {{"a", "mail.example", kDay, 7}, {"b", "mail.example", kDay, 1}};
  const std::vector<EgressPause> pauses = {pause("a", "", Seconds(60)), pause("a", "mail.example", Seconds(600))};
  {
    auto store = open_store(directory);
    REQUIRE(store->egress().keep_uses(uses));
    for (const EgressPause& each : pauses) REQUIRE(store->egress().keep_pause(each));
  }
  auto store = open_store(directory);
  CHECK(store->egress().uses(kDay).value() == uses);
  CHECK(store->egress().uses(kDay + 1).value().empty());
  CHECK(store->egress().pauses(kNow).value() == pauses);
  CHECK(store->egress().pauses(kNow + Seconds(60)).value() == std::vector{pauses[1]});
}

TEST_CASE("a number that was written twice or late changes nothing, and the next day begins anew") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  for (const std::uint64_t used : {5U, 9U, 9U, 3U}) REQUIRE(store->egress().keep_uses({{"a", "p", kDay, used}}));
  CHECK(store->egress().uses(kDay).value().at(0).used == 9);
  REQUIRE(store->egress().keep_uses({{"a", "p", kDay + 1, 1}}));
  REQUIRE(store->egress().keep_uses({{"a", "p", kDay, 20}}));
  CHECK(store->egress().uses(kDay).value().empty());
  CHECK(store->egress().uses(kDay + 1).value().at(0).used == 1);
}

TEST_CASE("a pause is replaced, ended once, and deleted when it is over") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->egress().keep_pause(pause("a", "p", Seconds(600))));
  REQUIRE(store->egress().keep_pause(pause("a", "p", Seconds(60))));
  CHECK(store->egress().pauses(kNow).value() == std::vector{pause("a", "p", Seconds(60))});
  CHECK(store->egress().remove_pause("a", "p").value());
  CHECK_FALSE(store->egress().remove_pause("a", "p").value());
  REQUIRE(store->egress().keep_pause(pause("a", "p", Seconds(60))));
  REQUIRE(store->egress().keep_uses({{"a", "p", kDay, 3}}));
  REQUIRE(store->egress().remove_outdated(kNow + std::chrono::days(1)));
  CHECK(store->egress().pauses(kNow).value().empty());
  CHECK(store->egress().uses(kDay).value().empty());
}

TEST_CASE("a damaged number is told, not believed") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->egress().keep_uses({{"a", "p", kDay, 3}}));
  {
    SQLite::Database database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE);
    database.exec("UPDATE egress_uses SET used=-1");
  }
  const auto read = store->egress().uses(kDay);
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == ErrorKind::Corrupt);
}
