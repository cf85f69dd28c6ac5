#include "relay/store/proven_tls_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <catch2/catch.hpp>

#include "relay/store/queue_reader.h"
#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;

namespace {

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);
const std::chrono::days kDay{1};

DomainName domain(std::string_view text = "receiver.example") {
  return *DomainName::parse(text);
}

std::unique_ptr<SqliteQueueStore> open_store(const TemporaryDirectory& directory) {
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  return std::move(*store);
}

}  // namespace

TEST_CASE("a proof is remembered with its first and last time, also by a reader and a new store") {
  const TemporaryDirectory directory;
  {
    auto store = open_store(directory);
    REQUIRE(store->proven_tls().keep(domain(), "dane", kNow - 2 * kDay));
    REQUIRE(store->proven_tls().keep(domain(), "mta-sts", kNow));
  }
  auto store = open_store(directory);
  auto reader = QueueReader::open(directory.path());
  REQUIRE(reader);
  const auto found = reader->find_proven_tls(domain(), kNow);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->method == "mta-sts");
  CHECK((*found)->first_proven == kNow - 2 * kDay);
  CHECK((*found)->last_proven == kNow);
  CHECK_FALSE(*reader->find_proven_tls(domain(), kNow + Seconds(1)));
  CHECK_FALSE(*reader->find_proven_tls(domain("else.example"), kNow));
}

TEST_CASE("what was proven long ago is removed, and what an operator forgets is gone") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->proven_tls().keep(domain("old.example"), "dane", kNow - 2 * kDay));
  REQUIRE(store->proven_tls().keep(domain("new.example"), "dane", kNow));
  REQUIRE(store->proven_tls().keep(domain(), "dane", kNow));
  REQUIRE(store->proven_tls().remove_before(kNow - kDay));
  REQUIRE(store->proven_tls().forget(domain()));
  const auto again = store->proven_tls().forget(domain());
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::NotFound);
  CHECK(again.error().detail.find("waxwing tls list") != std::string::npos);
  const auto listed = store->proven_tls().list();
  REQUIRE(listed);
  REQUIRE(listed->size() == 1);
  CHECK(listed->front().domain == "new.example");
}

TEST_CASE("a method that was never written is damage") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  SQLite::Database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE)
      .exec("INSERT INTO proven_tls VALUES('receiver.example', 'magic', 1, 2)");
  const auto found = store->proven_tls().find(domain(), WallTime());
  REQUIRE_FALSE(found);
  CHECK(found.error().kind == ErrorKind::Corrupt);
}
