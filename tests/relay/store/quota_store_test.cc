#include "relay/store/quota_store.h"

#include <catch2/catch.hpp>
#include <string>

#include "relay/store/account_store.h"
#include "relay/store/queue_reader.h"
#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

namespace waxwing {
namespace {

std::unique_ptr<SqliteQueueStore> open_store(const TemporaryDirectory& directory) {
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  return std::move(*store);
}

TEST_CASE("limits are kept for an account and a tenant of the same name apart") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  Quota quota;
  quota.set_limit(QuotaKind::MessagesPerHour, 7);
  quota.set_limit(QuotaKind::Connections, 3);
  quota.over_limit = OverLimit::Hold;
  quota.held_because = "stolen";
  REQUIRE(store->quotas().set(QuotaOwner::Account, "shop", quota));
  CHECK(*store->quotas().find(QuotaOwner::Account, "shop") == quota);
  CHECK(*store->quotas().find(QuotaOwner::Tenant, "shop") == Quota());
  REQUIRE(store->quotas().set(QuotaOwner::Account, "shop", {}));
  CHECK(*store->quotas().find(QuotaOwner::Account, "shop") == Quota());
  CHECK(store->quotas().tenants()->empty());
  CHECK_FALSE(store->quotas().set(QuotaOwner::Tenant, "a b", {}));
  quota.set_limit(QuotaKind::MessagesPerDay, kMaxQuota + 1);
  CHECK_FALSE(store->quotas().set(QuotaOwner::Tenant, "shop", quota));
}

TEST_CASE("what was used is added up by hours and forgotten after a day") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  const std::int64_t hour = kNow.time_since_epoch().count() / 3'600'000;
  const Usage usage{1, 2, 3, 0, 1, 1};
  const UsageChanges changes{{{QuotaOwner::Account, "shop", hour, usage}}, {{"shop", std::string(16, 'f')}}};
  REQUIRE(store->quotas().add_usage(changes, kNow));
  REQUIRE(store->quotas().add_usage(changes, kNow));
  CHECK(store->quotas().usage_of(QuotaOwner::Account, "shop", kNow)->recipients == 4);
  REQUIRE(store->quotas().usage(kNow)->size() == 1);
  CHECK(*store->quotas().knows("shop", std::string(16, 'f')));
  CHECK_FALSE(*store->quotas().knows("other", std::string(16, 'f')));
  auto reader = QueueReader::open(directory.path());
  REQUIRE(reader);
  CHECK(reader->unknown_recipients("shop", {std::string(16, 'f'), "x"}) == std::vector<std::string>{"x"});
  const WallTime next_day = kNow + Seconds(24 * 3'600);
  CHECK(store->quotas().usage_of(QuotaOwner::Account, "shop", next_day)->recipients == 0);
  CHECK(store->quotas().usage(next_day)->empty());
  CHECK(store->quotas().usage(kNow + kRecipientMemory + Seconds(2 * 86'400))->empty());
  CHECK_FALSE(*store->quotas().knows("shop", std::string(16, 'f')));
}

TEST_CASE("a reader that remembers limits sees a change at once") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  auto reader = QueueReader::open(directory.path(), store->settings_version());
  CHECK(reader->find_quota(QuotaOwner::Account, "shop")->held_because.empty());
  Quota quota;
  quota.held_because = "too many bounces";
  REQUIRE(store->begin());
  REQUIRE(store->quotas().set(QuotaOwner::Account, "shop", quota));
  CHECK(reader->find_quota(QuotaOwner::Account, "shop")->held_because.empty());
  REQUIRE(store->commit());
  CHECK(reader->find_quota(QuotaOwner::Account, "shop")->held_because == "too many bounces");
  CHECK(reader->find_quota(QuotaOwner::Tenant, "shop")->held_because.empty());
}

TEST_CASE("a local user has one account, and one without a password") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  Account account{"app", "", "", {}};
  account.uid = 33;
  REQUIRE(store->accounts().add(account));
  CHECK(store->accounts().find_by_uid(33)->name == "app");
  CHECK(store->accounts().find("app")->uid == 33U);
  CHECK(store->accounts().find_by_uid(34).error().kind == ErrorKind::NotFound);
  account.name = "other";
  CHECK(store->accounts().add(account).error().kind == ErrorKind::Conflict);
}

TEST_CASE("accounts of the configuration file come and go with it") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->accounts().add({"added", "", "$y$1", {}}));
  REQUIRE(store->accounts().declare({{"one", "", "$y$1", {"a.example"}}, {"two", "t", "", {}}}));
  CHECK(store->accounts().find("one")->declared);
  CHECK(store->accounts().set_password("one", "$y$2", "").error().kind == ErrorKind::Conflict);
  REQUIRE(store->accounts().declare({{"two", "t2", "", {}}}));
  CHECK(store->accounts().find("one").error().kind == ErrorKind::NotFound);
  CHECK(store->accounts().find("two")->tenant == "t2");
  CHECK(store->accounts().find("added"));
  CHECK(store->accounts().declare({{"added", "", "", {}}}).error().kind == ErrorKind::Conflict);
}

TEST_CASE("a token is its account's until it is revoked") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  const std::string digest(32, 'd');
  CHECK(store->accounts().add_token("app", digest, kNow).error().kind == ErrorKind::NotFound);
  REQUIRE(store->accounts().add({"app", "", "$y$1", {}}));
  REQUIRE(store->accounts().add_token("app", digest, kNow));
  CHECK(store->accounts().find_by_token(digest)->name == "app");
  CHECK(store->accounts().find_by_token(std::string(32, 'e')).error().kind == ErrorKind::NotFound);
  CHECK(store->accounts().revoke_tokens("app") == 1U);
  CHECK(store->accounts().find_by_token(digest).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a submission key belongs to one message for a day") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  auto reader = QueueReader::open(directory.path());
  REQUIRE(reader);
  QueuedMessage message = test_message(1);
  message.submission = {"order-17", std::string(32, 'd')};
  REQUIRE(store->add(message));
  REQUIRE(store->add(message));
  const auto known = reader->find_submission("shop", "order-17");
  REQUIRE((known && *known));
  CHECK((*known)->message == QueueId(1));
  CHECK((*known)->digest == std::string(32, 'd'));
  CHECK_FALSE(*reader->find_submission("other", "order-17"));
  QueuedMessage again = test_message(2);
  again.submission = message.submission;
  CHECK(store->apart([&] { return store->add(again); }).error().kind == ErrorKind::Conflict);
  CHECK(store->load(QueueId(2)).error().kind == ErrorKind::NotFound);
  again.accepted = kNow + kSubmissionKeyMemory + Seconds(1);
  CHECK(store->add(again));
}

}  // namespace
}  // namespace waxwing
