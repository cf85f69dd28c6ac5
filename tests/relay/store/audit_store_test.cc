#include "relay/store/audit_store.h"

#include <catch2/catch.hpp>
#include <string>

#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;

namespace {

OperatorAction entry(const std::string& reason, WallTime time = kNow) {
  return {0, time, 1'000, "ann", "queue drop", R"({"all":true})", 3, 5, reason};
}

}  // namespace

TEST_CASE("the audit log gives what was written, newest first, in portions") {
  const TemporaryDirectory directory;
  auto store = std::move(*SqliteQueueStore::open(directory.path()));
  for (const char* reason : {"first", "second", "third"}) REQUIRE(store->audits().add(entry(reason)));
  const auto newest = store->audits().list(0, 2);
  REQUIRE(newest);
  REQUIRE(newest->size() == 2);
  CHECK(newest->front().reason == "third");
  CHECK(newest->front().uid == 1'000);
  CHECK(newest->front().operator_name == "ann");
  CHECK(newest->front().command == "queue drop");
  CHECK(newest->front().filter == R"({"all":true})");
  CHECK(newest->front().messages == 3);
  CHECK(newest->front().recipients == 5);
  CHECK(newest->front().time == kNow);
  const auto rest = store->audits().list(newest->back().id, 2);
  REQUIRE(rest);
  REQUIRE(rest->size() == 1);
  CHECK(rest->front().reason == "first");
}

TEST_CASE("the audit log forgets what is old, cuts what is long, and survives a restart") {
  const TemporaryDirectory directory;
  {
    auto store = std::move(*SqliteQueueStore::open(directory.path()));
    REQUIRE(store->audits().add(entry("old", kNow - kAuditKeepFor)));
    REQUIRE(store->audits().add(entry(std::string(10'000, 'x'))));
    REQUIRE(store->audits().remove_before(kNow));
  }
  auto store = std::move(*SqliteQueueStore::open(directory.path()));
  const auto left = store->audits().list(0, 10);
  REQUIRE(left);
  REQUIRE(left->size() == 1);
  CHECK(left->front().reason.size() == kMaxAuditTextOctets);
}

TEST_CASE("what is held is counted") {
  const TemporaryDirectory directory;
  auto store = std::move(*SqliteQueueStore::open(directory.path()));
  QueuedMessage message = test_message(1, {"a@far.example", "b@far.example", "c@far.example"});
  message.recipients[1].state = RecipientState::Held;
  REQUIRE(store->add(message));
  CHECK(store->held_count() == 1);
  RecipientUpdate update = test_update(1, 0, RecipientState::Held);
  REQUIRE(store->update(update));
  CHECK(store->held_count() == 2);
}
