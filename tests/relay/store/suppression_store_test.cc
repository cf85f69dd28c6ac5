#include "relay/store/suppression_store.h"

#include <SQLiteCpp/Database.h>

#include <catch2/catch.hpp>
#include <functional>
#include <memory>

#include "relay/store/queue_reader.h"
#include "relay/store/sqlite_queue_store.h"
#include "relay/store/store_thread.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;

namespace {

MailAddress address(const char* text) {
  return MailAddress::parse(text).value();
}

Suppression suppression(const char* tenant, const char* recipient, Seconds lasting = Seconds(86'400)) {
  return {tenant, address(recipient), "there is no such mailbox", kNow, kNow + lasting};
}

}  // namespace

TEST_CASE("an address is suppressed for its tenant alone, and until its end") {
  const TemporaryDirectory directory;
  auto store = *SqliteQueueStore::open(directory.path());
  SuppressionStore& list = store->suppressions();
  REQUIRE(list.keep(suppression("shop", "bob@far.example")));
  const auto found = list.find("shop", address("bob@FAR.example"), kNow);
  REQUIRE((found && *found));
  CHECK((*found)->reason == "there is no such mailbox");
  CHECK((*found)->since == kNow);
  CHECK_FALSE(*list.find("other", address("bob@far.example"), kNow));
  CHECK_FALSE(*list.find("shop", address("ann@far.example"), kNow));
  CHECK(*list.find("shop", address("bob@far.example"), kNow + Seconds(86'399)));
  CHECK_FALSE(*list.find("shop", address("bob@far.example"), kNow + Seconds(86'400)));
}

TEST_CASE("an address that is listed again keeps its beginning and the later end") {
  const TemporaryDirectory directory;
  auto store = *SqliteQueueStore::open(directory.path());
  SuppressionStore& list = store->suppressions();
  REQUIRE(list.keep(suppression("shop", "bob@far.example", Seconds(200'000))));
  Suppression again = suppression("shop", "bob@far.example");
  again.since = kNow + Seconds(50);
  again.reason = std::string(10'000, 'x');
  REQUIRE(list.keep(again));
  const auto found = list.find("shop", address("bob@far.example"), kNow);
  REQUIRE((found && *found));
  CHECK((*found)->since == kNow);
  CHECK((*found)->until == kNow + Seconds(200'000));
  CHECK((*found)->reason == std::string(kMaxSuppressionReasonOctets, 'x'));
}

TEST_CASE("suppressions are listed in portions, and removed by hand and by time") {
  const TemporaryDirectory directory;
  auto store = *SqliteQueueStore::open(directory.path());
  SuppressionStore& list = store->suppressions();
  for (const char* recipient : {"c@far.example", "a@far.example", "b@far.example"}) {
    REQUIRE(list.keep(suppression("shop", recipient)));
  }
  REQUIRE(list.keep(suppression("office", "a@far.example", Seconds(10))));
  const auto first = list.list({}, {}, kNow, 3);
  REQUIRE(first->size() == 3);
  CHECK(first->front().tenant == "office");
  CHECK(first->back().address == address("b@far.example"));
  const auto rest = list.list({}, {"shop", "b@far.example"}, kNow, 3);
  REQUIRE(rest->size() == 1);
  CHECK(rest->front().address == address("c@far.example"));
  CHECK(list.list("office", {}, kNow, 10)->size() == 1);
  CHECK(list.list("shop", {}, kNow, 10)->size() == 3);

  REQUIRE(list.remove("shop", address("b@far.example")));
  CHECK(list.remove("shop", address("b@far.example")).error().kind == ErrorKind::NotFound);
  REQUIRE(list.remove_expired(kNow + Seconds(10)));
  CHECK(list.list({}, {}, kNow, 10)->size() == 2);
}

TEST_CASE("a tenant's list has a limit, of which what is removed and what ends gives back") {
  const TemporaryDirectory directory;
  auto store = *SqliteQueueStore::open(directory.path());
  SuppressionStore& list = store->suppressions();
  REQUIRE(list.keep(suppression("shop", "a@far.example")));
  REQUIRE(list.keep(suppression("shop", "b@far.example", Seconds(10))));
  SQLite::Database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE, 1'000)
      .exec("UPDATE suppression_counts SET entries=" + std::to_string(kMaxSuppressions));
  CHECK(list.keep(suppression("shop", "c@far.example")).error().kind == ErrorKind::Exhausted);
  CHECK(list.keep(suppression("shop", "a@far.example")));  // it is there already
  CHECK(list.keep(suppression("other", "c@far.example")));
  REQUIRE(list.remove("shop", address("a@far.example")));
  CHECK(list.keep(suppression("shop", "c@far.example")));
  CHECK(list.keep(suppression("shop", "d@far.example")).error().kind == ErrorKind::Exhausted);
  REQUIRE(list.remove_expired(kNow + Seconds(10)));
  CHECK(list.keep(suppression("shop", "d@far.example")));
}

TEST_CASE("a reader that remembers that a list is empty sees the first entry at once, and a removal") {
  const TemporaryDirectory directory;
  auto store = *SqliteQueueStore::open(directory.path());
  auto reader = QueueReader::open(directory.path(), store->settings_version());
  const auto listed = [&](const std::string& tenant) {
    return reader->find_suppression(tenant, address("bob@far.example"), kNow)->has_value();
  };
  const auto change = [&](const std::function<Result<void>()>& work) {
    REQUIRE(store->begin());
    REQUIRE(work());
    REQUIRE(store->commit());
  };
  CHECK_FALSE(listed("shop"));
  CHECK_FALSE(listed("shop"));
  change([&] { return store->suppressions().keep(suppression("shop", "bob@far.example")); });
  CHECK(listed("shop"));
  CHECK_FALSE(listed("other"));
  change([&] { return store->suppressions().remove("shop", address("bob@far.example")); });
  CHECK_FALSE(listed("shop"));
}

TEST_CASE("a reader that remembers an empty list sees what a store has when it was opened anew") {
  const TemporaryDirectory directory;
  auto store = *SqliteQueueStore::open(directory.path());
  auto reader = QueueReader::open(directory.path(), store->settings_version());
  CHECK_FALSE(*reader->find_suppression("shop", address("bob@far.example"), kNow));
  // Committed behind the back of the count, as by a commit that failed and was durable nevertheless.
  REQUIRE(store->suppressions().keep(suppression("shop", "bob@far.example")));
  REQUIRE(store->reopen());
  CHECK(*reader->find_suppression("shop", address("bob@far.example"), kNow));
}

TEST_CASE("what an attempt finds out is listed with its outcome, and a reader sees it") {
  const TemporaryDirectory directory;
  auto opened = *SqliteQueueStore::open(directory.path());
  REQUIRE(opened->begin());
  REQUIRE(opened->add(test_message(1, {"bob@far.example", "ann@far.example"})));
  REQUIRE(opened->commit());
  StoreThread store(std::move(opened), {});
  AttemptRecord record;
  record.updates = {test_update(1, 0, RecipientState::Bounced)};
  record.suppressions = {suppression("shop", "bob@far.example")};
  bool recorded = false;
  store.record(record, [&](const Result<std::vector<QueueId>>& removed) { recorded = removed.has_value(); });
  store.stop();
  CHECK(recorded);
  auto reader = QueueReader::open(directory.path());
  CHECK(*reader->find_suppression("shop", address("bob@far.example"), kNow));
  CHECK(reader->load(QueueId(1))->recipients[0].state == RecipientState::Bounced);
}
