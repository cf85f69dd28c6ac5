#include "relay/daemon/submission_limits.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <string>

#include "relay/store/quota_store.h"
#include "relay/store/store_thread.h"
#include "tests/relay/store/temporary_directory.h"

namespace waxwing {
namespace {

WallTime now() {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

/// Limits on a real store.
class Bench {
 public:
  explicit Bench(Config config = {})
      : config_(std::move(config)),
        store_(std::move(*SqliteQueueStore::open(directory_.path())), {}),
        limits_(config_, store_, log_),
        reader_(std::move(*QueueReader::open(directory_.path()))) {
    run([this](SqliteQueueStore& store) { return limits_.load(store, now()); });
  }
  ~Bench() { store_.stop(); }

  void run(const std::function<Result<void>(SqliteQueueStore&)>& work) {
    std::promise<Result<void>> done;
    store_.run(work, [&done](const Result<void>& result) { done.set_value(result); });
    const auto result = done.get_future().get();
    if (!result) FAIL(result.error().detail);
  }
  void set(QuotaOwner owner, const std::string& name, const Quota& quota) {
    run([&](SqliteQueueStore& store) { return store.quotas().set(owner, name, quota); });
  }
  SubmissionLimits::Admission admit(const Account& account,
                                    std::initializer_list<const char*> recipients = {"a@far.example"}) {
    std::vector<EnvelopeRecipient> envelope;
    for (const char* recipient : recipients) envelope.push_back({*MailAddress::parse(recipient), {}});
    return limits_.admit(reader_, account, envelope, 100, now());
  }
  Quota stored(const std::string& account) { return *reader_.find_quota(QuotaOwner::Account, account); }
  SubmissionLimits& limits() { return limits_; }
  QueueReader& reader() { return reader_; }

 private:
  TemporaryDirectory directory_;
  Config config_;
  EventLog log_{EventLog::Format::Text, Severity::Error, STDERR_FILENO, [] { return WallTime{}; }};
  StoreThread store_;
  SubmissionLimits limits_;
  QueueReader reader_;
};

const Account kShop{"shop", "customer", "", {}};

TEST_CASE("a changed limit is in force with the next message") {
  Bench bench;
  CHECK_FALSE(bench.admit(kShop).refusal);
  Quota quota;
  quota.set_limit(QuotaKind::MessagesPerHour, 1);
  bench.set(QuotaOwner::Tenant, "customer", quota);
  CHECK(bench.limits().check(bench.reader(), kShop, now()));
  const auto over = bench.admit(kShop);
  REQUIRE(over.refusal);
  CHECK(over.refusal->str() ==
        "452 4.7.1 tenant customer has reached its limit of 1 messages_per_hour; try again later\r\n");
  quota.over_limit = OverLimit::Hold;
  bench.set(QuotaOwner::Tenant, "customer", quota);
  const auto held = bench.admit(kShop);
  CHECK_FALSE(held.refusal);
  CHECK(held.held_because == "tenant customer has reached its limit of 1 messages_per_hour");
}

TEST_CASE("new recipients are counted without regard to case, and known ones pass") {
  Bench bench;
  Quota quota;
  quota.set_limit(QuotaKind::NewRecipientsPerDay, 2);
  bench.set(QuotaOwner::Account, "shop", quota);
  CHECK_FALSE(bench.admit(kShop, {"a@far.example", "A@Far.example"}).refusal);
  CHECK_FALSE(bench.admit(kShop, {"b@far.example"}).refusal);
  CHECK(bench.admit(kShop, {"a@far.example", "c@far.example"}).refusal);
  bench.limits().write_down();
  bench.run([](SqliteQueueStore&) -> Result<void> { return {}; });
  CHECK_FALSE(bench.admit(kShop, {"a@far.example", "b@far.example"}).refusal);
  CHECK(bench.admit(kShop, {"c@far.example"}).refusal);
}

TEST_CASE("an account that suddenly writes to many is held, with what it had just submitted") {
  Config config;
  config.sudden_volume = 2;
  Bench bench(config);
  CHECK(bench.admit(kShop, {"a@far.example", "b@far.example"}).held_because.empty());
  const auto held = bench.admit(kShop);
  CHECK_FALSE(held.refusal);
  CHECK(held.held_because ==
        "account shop has written to 3 recipients in this hour, after at most 0 in an hour of the last day");
  bench.run([](SqliteQueueStore&) -> Result<void> { return {}; });
  CHECK(bench.stored("shop").held_because == held.held_because);
  CHECK(bench.admit({"other", "", "", {}}).held_because.empty());
}

TEST_CASE("an account whose mail bounces is held") {
  Config config;
  config.bounce_percent = 10;
  Bench bench(config);
  for (int i = 0; i < 89; ++i) bench.limits().count_outcome("shop", "customer", false, now());
  for (int i = 0; i < 10; ++i) bench.limits().count_outcome("shop", "customer", true, now());
  bench.run([](SqliteQueueStore&) -> Result<void> { return {}; });
  CHECK(bench.stored("shop").held_because.empty());
  bench.limits().count_outcome("shop", "customer", true, now());
  bench.run([](SqliteQueueStore&) -> Result<void> { return {}; });
  CHECK(bench.stored("shop").held_because == "11 of the last 100 recipients of account shop bounced");
  CHECK(bench.admit(kShop).held_because == bench.stored("shop").held_because);
}

TEST_CASE("what the configuration declares is there from the start") {
  Config config;
  AccountConfig account;
  account.name = "shop";
  account.uid = 33;
  account.messages_per_hour = 1;
  account.over_limit = LimitsConfig::OverLimit::Hold;
  config.accounts.push_back(account);
  Bench bench(config);
  CHECK(bench.reader().find_account_of(33)->name == "shop");
  CHECK(bench.stored("shop").limit(QuotaKind::MessagesPerHour) == 1);
  CHECK(bench.stored("shop").over_limit == OverLimit::Hold);
}

TEST_CASE("connections are limited by listener, address and account") {
  Bench bench;
  ListenerConfig listener;
  listener.name = "in";
  listener.max_connections = 3;
  listener.max_connections_per_address = 1;
  const auto one = *IpAddress::parse("192.0.2.1");
  const auto two = *IpAddress::parse("192.0.2.2");
  const auto loopback = *IpAddress::parse("127.0.0.1");
  CHECK_FALSE(bench.limits().open(listener, one));
  CHECK(bench.limits().open(listener, one) == "listener.max_connections_per_address of in is reached");
  CHECK_FALSE(bench.limits().open(listener, loopback));
  CHECK_FALSE(bench.limits().open(listener, loopback));
  CHECK(bench.limits().open(listener, two) == "listener.max_connections of in is reached");
  bench.limits().close(listener, one);
  CHECK_FALSE(bench.limits().open(listener, one));
  Quota quota;
  quota.set_limit(QuotaKind::Connections, 1);
  bench.set(QuotaOwner::Account, "shop", quota);
  CHECK_FALSE(bench.limits().connect(bench.reader(), kShop));
  CHECK(bench.limits().connect(bench.reader(), kShop)->code == 421);
  bench.limits().disconnect(kShop);
  CHECK_FALSE(bench.limits().connect(bench.reader(), kShop));
}

}  // namespace
}  // namespace waxwing
