#include "relay/queue/quota_ledger.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

using namespace waxwing;

namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};  // at the full hour
constexpr Seconds kHour{3'600};

Quota quota(QuotaKind kind, std::uint64_t limit, OverLimit over_limit = OverLimit::Reject) {
  Quota result;
  result.set_limit(kind, limit);
  result.over_limit = over_limit;
  return result;
}

QuotaLedger::Message message(std::uint64_t recipients = 1, std::uint64_t octets = 100) {
  return {"shop", "customer", recipients, octets, {}};
}

}  // namespace

TEST_CASE("a message over a limit is counted as nothing, and the next hour is a new one") {
  QuotaLedger ledger;
  const Quota limit = quota(QuotaKind::MessagesPerHour, 2);
  CHECK_FALSE(ledger.charge(message(), limit, {}, kNow));
  CHECK_FALSE(ledger.peek("shop", "customer", limit, {}, kNow));
  CHECK_FALSE(ledger.charge(message(), limit, {}, kNow));
  CHECK(ledger.peek("shop", "customer", limit, {}, kNow));
  const auto excess = ledger.charge(message(), limit, {}, kNow);
  REQUIRE(excess);
  CHECK(excess->sentence() == "account shop has reached its limit of 2 messages_per_hour");
  CHECK(ledger.recent(QuotaOwner::Account, "shop", kNow).day.messages == 2);
  CHECK_FALSE(ledger.charge(message(), limit, {}, kNow + kHour));
}

TEST_CASE("each kind of limit stands alone, exactly") {
  QuotaLedger ledger;
  CHECK_FALSE(ledger.charge(message(3), quota(QuotaKind::RecipientsPerHour, 3), {}, kNow));
  CHECK(ledger.charge(message(1), quota(QuotaKind::RecipientsPerHour, 3), {}, kNow));
  CHECK_FALSE(ledger.charge(message(1, 900), quota(QuotaKind::OctetsPerDay, 1'000), {}, kNow));
  CHECK(ledger.charge(message(1, 1), quota(QuotaKind::OctetsPerDay, 1'000), {}, kNow + kHour));
  CHECK_FALSE(ledger.charge(message(1, 0), quota(QuotaKind::RecipientsPerDay, 5), {}, kNow + kHour));
  CHECK(ledger.charge(message(1, 0), quota(QuotaKind::RecipientsPerDay, 5), {}, kNow + kHour));
  CHECK(ledger.charge(message(1, 0), quota(QuotaKind::MessagesPerDay, 3), {}, kNow + 2 * kHour));
}

TEST_CASE("a day is the last 24 hours of the clock") {
  QuotaLedger ledger;
  const Quota limit = quota(QuotaKind::MessagesPerDay, 1);
  CHECK_FALSE(ledger.charge(message(), limit, {}, kNow));
  CHECK(ledger.charge(message(), limit, {}, kNow + 23 * kHour));
  CHECK_FALSE(ledger.charge(message(), limit, {}, kNow + 24 * kHour));
}

TEST_CASE("a limit that holds lets the message be counted") {
  QuotaLedger ledger;
  const Quota limit = quota(QuotaKind::MessagesPerHour, 1, OverLimit::Hold);
  CHECK_FALSE(ledger.charge(message(), limit, {}, kNow));
  const auto excess = ledger.charge(message(), limit, {}, kNow);
  REQUIRE(excess);
  CHECK(excess->over_limit == OverLimit::Hold);
  CHECK_FALSE(ledger.peek("shop", "customer", limit, {}, kNow));
  CHECK(ledger.recent(QuotaOwner::Account, "shop", kNow).day.messages == 2);
}

TEST_CASE("a tenant's limit is one for all its accounts, and stands before one that holds") {
  QuotaLedger ledger;
  const Quota tenant = quota(QuotaKind::MessagesPerHour, 2);
  CHECK_FALSE(ledger.charge({"one", "customer", 1, 1, {}}, {}, tenant, kNow));
  CHECK_FALSE(ledger.charge({"two", "customer", 1, 1, {}}, {}, tenant, kNow));
  const Quota account = quota(QuotaKind::MessagesPerHour, 1, OverLimit::Hold);
  const auto excess = ledger.charge({"one", "customer", 1, 1, {}}, account, tenant, kNow);
  REQUIRE(excess);
  CHECK(excess->owner == QuotaOwner::Tenant);
  CHECK(excess->name == "customer");
  CHECK_FALSE(ledger.charge({"one", "other", 1, 1, {}}, {}, tenant, kNow));
}

TEST_CASE("a recipient is new once, also before it is written down, and not at all in a refused message") {
  QuotaLedger ledger;
  const Quota limit = quota(QuotaKind::NewRecipientsPerDay, 2);
  QuotaLedger::Message first = message();
  first.unknown_recipients = {"a", "b"};
  CHECK_FALSE(ledger.charge(first, limit, {}, kNow));
  CHECK_FALSE(ledger.charge(first, limit, {}, kNow));
  QuotaLedger::Message more = message();
  more.unknown_recipients = {"a", "c"};
  CHECK(ledger.charge(more, limit, {}, kNow));
  CHECK_FALSE(ledger.charge(message(), limit, {}, kNow));
  const UsageChanges changes = ledger.take_changes();
  CHECK(changes.recipients == std::vector<NewRecipient>{{"shop", "a"}, {"shop", "b"}});
  CHECK_FALSE(ledger.charge(first, limit, {}, kNow));
  ledger.not_written(changes);
  CHECK(ledger.take_changes().recipients.size() == 2);
}

TEST_CASE("what was used comes back after a restart, and what could not be written is written later") {
  QuotaLedger ledger;
  CHECK_FALSE(ledger.charge(message(2, 7), {}, {}, kNow));
  ledger.count_outcome("shop", "customer", true, kNow);
  const UsageChanges changes = ledger.take_changes();
  REQUIRE(changes.hours.size() == 2);
  CHECK(changes.hours[0].usage == Usage{1, 2, 7, 0, 0, 1});
  CHECK(ledger.take_changes().empty());
  ledger.not_written(changes);
  CHECK(ledger.take_changes().hours.size() == 2);
  QuotaLedger restarted;
  restarted.load(changes.hours, kNow + kHour);
  CHECK(restarted.recent(QuotaOwner::Account, "shop", kNow + kHour).day == Usage{1, 2, 7, 0, 0, 1});
  CHECK(restarted.recent(QuotaOwner::Account, "shop", kNow + kHour).busiest_recipients == 2);
  CHECK(restarted.recent(QuotaOwner::Account, "shop", kNow + kHour).this_hour == Usage{});
  QuotaLedger late;
  late.load(changes.hours, kNow + 24 * kHour);
  CHECK(late.recent(QuotaOwner::Account, "shop", kNow + 24 * kHour).day == Usage{});
}

TEST_CASE("connections are counted up to the limit and given back") {
  QuotaLedger ledger;
  const Quota limit = quota(QuotaKind::Connections, 1);
  CHECK_FALSE(ledger.connect("shop", "customer", limit, {}));
  CHECK(ledger.connect("shop", "customer", limit, {}));
  CHECK(ledger.connect("other", "customer", {}, limit));
  ledger.disconnect("shop", "customer");
  CHECK_FALSE(ledger.connect("other", "customer", {}, limit));
}

TEST_CASE("a limit is one for all threads") {
  QuotaLedger ledger;
  const Quota limit = quota(QuotaKind::MessagesPerHour, 1'000);
  std::atomic<int> counted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 500; ++k)
        if (!ledger.charge(message(), limit, {}, kNow)) ++counted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(counted == 1'000);
}
