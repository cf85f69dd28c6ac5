#include "relay/store/group_commit.h"

#include <SQLiteCpp/Database.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/relay/store/failing_disk.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;

namespace {

/// A store whose time is what the test says.
struct Bench {
  TemporaryDirectory directory;
  std::vector<std::string> states;  ///< details of errors, "" for working again
  MonotonicTime now{Milliseconds{1'000'000}};
  GroupCommit commits{std::move(*SqliteQueueStore::open(directory.path())),
                      {[this](const std::optional<Error>& error) { states.push_back(error ? error->detail : ""); }}};

  Result<void> add(std::uint64_t id) {
    Result<void> answer = fail(ErrorKind::Unavailable, "not answered");
    std::vector<StoreItem> batch;
    batch.emplace_back(StoreAdd{std::make_shared<const QueuedMessage>(test_message(id)), std::nullopt,
                                [&](Result<void> result) { answer = std::move(result); }});
    commits.process(std::move(batch), now);
    return answer;
  }
  void execute(const char* sql) {
    SQLite::Database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE, 1'000).exec(sql);
  }
  /// Lets the next look at the store happen.
  /// @return  how long it was waited for
  Milliseconds recover() {
    const MonotonicTime before = std::exchange(now, std::max(now, *commits.next_recovery()));
    commits.recover(now);
    return now - before;
  }
};

}  // namespace

TEST_CASE("a store that has lost a table is looked at less and less often, and says once what to do") {
  Bench bench;
  REQUIRE(bench.add(1));
  bench.execute("ALTER TABLE recipients RENAME TO hidden");
  CHECK_FALSE(bench.add(2));
  CHECK(bench.recover() == Milliseconds(0));
  for (const int seconds : {1, 2, 4, 8, 16, 32, 60, 60}) {
    CHECK(bench.recover() == Seconds(seconds));
    CHECK_FALSE(bench.commits.available());
  }
  REQUIRE(bench.states.size() == 2);
  CHECK_THAT(bench.states[1], Catch::Contains("has lost recipients") && Catch::Contains("salvage"));
  bench.execute("ALTER TABLE hidden RENAME TO recipients");
  bench.recover();
  CHECK(bench.commits.available());
  CHECK(bench.add(3));
  CHECK(bench.states.size() == 3);
}

TEST_CASE("a store that fails whenever it is used is opened after pauses that grow to eight seconds") {
  Bench bench;
  REQUIRE(bench.add(1));
  bench.execute("CREATE TRIGGER broken BEFORE INSERT ON messages BEGIN SELECT no_such_function(); END");
  std::vector<Milliseconds> pauses;
  for (std::uint64_t id = 2; id < 9; ++id) {
    CHECK_FALSE(bench.add(id));
    REQUIRE_FALSE(bench.commits.available());
    pauses.push_back(bench.recover());
    REQUIRE(bench.commits.available());
  }
  CHECK(pauses ==
        std::vector<Milliseconds>{Seconds(0), Seconds(2), Seconds(4), Seconds(8), Seconds(8), Seconds(8), Seconds(8)});
  bench.execute("DROP TRIGGER broken");
  CHECK_FALSE(bench.add(9));  // SQLite still knows the trigger
  bench.recover();
  CHECK(bench.add(10));
  CHECK(bench.commits.available());
}
