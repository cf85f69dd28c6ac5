#include "relay/queue/scheduler.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

using namespace waxwing;

namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};
const Seconds kLifetime{432'000};

WaitingRecipient waiting(std::uint64_t message, std::uint32_t ordinal, std::string domain, WallTime next = kNow,
                         std::string tenant = "shop") {
  return {QueueId(message), ordinal, std::move(domain), 0, next, kNow + kLifetime, std::move(tenant)};
}

// One batch, for tests that expect exactly one.
DueBatch take_one(Scheduler& scheduler, WallTime now = kNow) {
  const auto batches = scheduler.take_due(now, 100);
  REQUIRE(batches.size() == 1);
  return batches.front();
}

void finish(Scheduler& scheduler, const DueBatch& batch) {
  scheduler.finished(batch.message, batch.domain, batch.ordinals);
}

}  // namespace

TEST_CASE("a recipient is given out at its time and not before") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example", kNow + Seconds{10}));
  CHECK(scheduler.next_due(kNow) == kNow + Seconds{10});
  CHECK(scheduler.take_due(kNow + Milliseconds{9'999}, 10).empty());
  CHECK(scheduler.take_due(kNow + Seconds{10}, 10).size() == 1);
  CHECK(scheduler.take_due(kNow + Seconds{20}, 10).empty());
}

TEST_CASE("nothing is given out before the release that its sender asked for, whatever an operator does") {
  Scheduler scheduler({});
  WaitingRecipient recipient = waiting(1, 0, "a.example");
  recipient.not_before = kNow + Seconds{10};
  scheduler.add(recipient);
  CHECK(scheduler.take_due(kNow, 10).empty());
  scheduler.retry_now(QueueId(1));
  CHECK(scheduler.take_due(kNow, 10).empty());
  scheduler.hold(QueueId(1));
  CHECK(scheduler.take_due(kNow + Seconds{20}, 10).empty());
  scheduler.release(QueueId(1));
  CHECK(scheduler.take_due(kNow + Milliseconds{9'999}, 10).empty());
  CHECK(scheduler.next_due(kNow) == kNow + Seconds{10});
  CHECK(scheduler.take_due(kNow + Seconds{10}, 10).size() == 1);
}

TEST_CASE("recipients of one message in one domain make one batch, others do not join it") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 2, "a.example"));
  scheduler.add(waiting(1, 0, "a.example"));
  scheduler.add(waiting(1, 1, "b.example"));
  scheduler.add(waiting(2, 0, "a.example"));
  scheduler.add(waiting(1, 3, "a.example", kNow + Seconds{1}));
  const auto batches = scheduler.take_due(kNow, 100);
  REQUIRE(batches.size() == 3);
  std::set<std::pair<std::uint64_t, std::string>> seen;
  for (const DueBatch& batch : batches) {
    seen.emplace(batch.message.value(), batch.domain);
    if (batch.message == QueueId(1) && batch.domain == "a.example") {
      CHECK(batch.ordinals == std::vector<std::uint32_t>{0, 2});
    }
  }
  CHECK(seen.size() == 3);
}

TEST_CASE("recipients of a message are found whatever the order in which they came") {
  Scheduler scheduler({});
  for (const std::uint32_t ordinal : {5U, 1U, 9U, 3U, 7U, 1U, 9U}) scheduler.add(waiting(1, ordinal, "a.example"));
  CHECK(scheduler.size() == 5);
  const DueBatch batch = take_one(scheduler);
  CHECK(batch.ordinals == std::vector<std::uint32_t>{1, 3, 5, 7, 9});
  finish(scheduler, batch);
  CHECK(scheduler.size() == 0);
}

TEST_CASE("a batch has at most as many recipients as a server must take") {
  Scheduler scheduler({});
  for (std::uint32_t i = 0; i < 250; ++i) scheduler.add(waiting(1, i, "a.example"));
  std::set<std::uint32_t> seen;
  const auto batches = scheduler.take_due(kNow, 100);
  REQUIRE(batches.size() == 3);
  for (const DueBatch& batch : batches) {
    CHECK(batch.ordinals.size() <= 100);
    seen.insert(batch.ordinals.begin(), batch.ordinals.end());
  }
  CHECK(seen.size() == 250);
}

TEST_CASE("a domain gets no more batches than its limit until one is finished") {
  Scheduler scheduler({.active_per_destination = 2, .active_total = 100});
  for (std::uint64_t message = 1; message <= 5; ++message) scheduler.add(waiting(message, 0, "a.example"));
  auto batches = scheduler.take_due(kNow, 100);
  REQUIRE(batches.size() == 2);
  CHECK(scheduler.next_due(kNow) == kNow + kLifetime);
  finish(scheduler, batches.front());
  CHECK(scheduler.next_due(kNow) == kNow);
  CHECK(scheduler.take_due(kNow, 100).size() == 1);
}

TEST_CASE("who was due before its end, and missed the moment, is tried once more instead of being given up") {
  const Seconds late = GENERATE(Seconds(1), Seconds(86'400'000));
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example", kNow + Seconds(60)));
  const DueBatch batch = take_one(scheduler, kNow + kLifetime + late);
  CHECK_FALSE(batch.expired);
  CHECK(scheduler.active() == 1);
  finish(scheduler, batch);
  CHECK(scheduler.size() == 0);
}

TEST_CASE("who waits for a slot when the clock jumps far beyond its end gets the slot first") {
  Scheduler scheduler({.active_per_destination = 1});
  scheduler.add(waiting(1, 0, "a.example"));
  scheduler.add(waiting(2, 0, "a.example"));
  const DueBatch first = take_one(scheduler);
  const WallTime late = kNow + kLifetime + kNoticedLate + Milliseconds(1);
  CHECK(scheduler.take_due(late, 100).empty());
  CHECK_FALSE(scheduler.next_due(late).has_value());
  finish(scheduler, first);
  const DueBatch second = take_one(scheduler, late);
  CHECK(second.message == QueueId(2));
  CHECK_FALSE(second.expired);
}

TEST_CASE("nobody waits for a time that a clock set back has moved away, but who asked for it") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example", kNow + Seconds(100'000)));
  WaitingRecipient later = waiting(2, 0, "a.example", kNow + Seconds(100'000));
  later.not_before = kNow + Seconds(90'000);
  scheduler.add(later);
  scheduler.add(waiting(3, 0, "a.example", kNow + Seconds(10)));
  scheduler.hold(QueueId(4));
  scheduler.add(waiting(4, 0, "a.example"));
  scheduler.bring_forward(kNow + Seconds(3'600));
  CHECK(take_one(scheduler, kNow + Seconds(10)).message == QueueId(3));
  CHECK(take_one(scheduler, kNow + Seconds(3'600)).message == QueueId(1));
  CHECK(take_one(scheduler, kNow + Seconds(90'000)).message == QueueId(2));
}

TEST_CASE("the limit of one domain can be raised, lowered and taken back") {
  Scheduler scheduler({.active_per_destination = 2});
  for (std::uint64_t message = 1; message <= 20; ++message) scheduler.add(waiting(message, 0, "a.example"));
  std::vector<DueBatch> active = scheduler.take_due(kNow, 100);
  CHECK(active.size() == 2);
  scheduler.set_destination_limit("a.example", 5);
  CHECK(scheduler.next_due(kNow) == kNow);
  for (DueBatch& batch : scheduler.take_due(kNow, 100)) active.push_back(std::move(batch));
  CHECK(active.size() == 5);

  scheduler.set_destination_limit("a.example", 1);
  for (std::size_t i = 0; i < 4; ++i) finish(scheduler, active[i]);
  CHECK(scheduler.take_due(kNow, 100).empty());
  finish(scheduler, active[4]);
  CHECK(scheduler.take_due(kNow, 100).size() == 1);
}

TEST_CASE("a domain whose limit is nothing gets nothing, new recipients included, and goes on where it stopped") {
  Scheduler scheduler({.active_per_destination = 2});
  scheduler.set_destination_limit("a.example", 0);
  scheduler.add(waiting(1, 0, "a.example"));
  scheduler.add(waiting(2, 0, "a.example", kNow, "another tenant"));
  scheduler.add(waiting(3, 0, "b.example"));
  CHECK(take_one(scheduler).domain == "b.example");
  CHECK(scheduler.take_due(kNow + Seconds{10}, 100).empty());
  scheduler.set_destination_limit("a.example", 2);
  CHECK(scheduler.take_due(kNow + Seconds{10}, 100).size() == 2);
}

TEST_CASE("a message for a domain whose limit is nothing expires all the same") {
  Scheduler scheduler({});
  scheduler.set_destination_limit("a.example", 0);
  scheduler.add(waiting(1, 0, "a.example"));
  CHECK(scheduler.take_due(kNow, 100).empty());
  CHECK(take_one(scheduler, kNow + kLifetime).expired);
}

TEST_CASE("the limit of all domains holds") {
  Scheduler scheduler({.active_per_destination = 10, .active_total = 3});
  for (std::uint64_t message = 1; message <= 9; ++message) {
    scheduler.add(waiting(message, 0, fmt::format("d{}.example", message)));
  }
  const auto batches = scheduler.take_due(kNow, 100);
  CHECK(batches.size() == 3);
  CHECK(scheduler.active() == 3);
  finish(scheduler, batches.front());
  CHECK(scheduler.take_due(kNow, 100).size() == 1);
}

TEST_CASE("no more batches are given out than asked for, and the rest comes with the next call") {
  Scheduler scheduler({});
  for (std::uint64_t message = 1; message <= 5; ++message) scheduler.add(waiting(message, 0, "a.example"));
  CHECK(scheduler.take_due(kNow, 2).size() == 2);
  CHECK(scheduler.next_due(kNow) == kNow);
  CHECK(scheduler.take_due(kNow, 100).size() == 3);
}

TEST_CASE("100,000 recipients of one domain do not delay another domain") {
  Scheduler scheduler({.active_per_destination = 20, .active_total = 100});
  for (std::uint64_t message = 1; message <= 100'000; ++message) scheduler.add(waiting(message, 0, "big.example"));
  for (std::uint64_t message = 100'001; message <= 100'010; ++message) {
    scheduler.add(waiting(message, 0, "small.example"));
  }
  std::map<std::string, int> batches_of;
  for (const DueBatch& batch : scheduler.take_due(kNow, 20)) ++batches_of[batch.domain];
  CHECK(batches_of["small.example"] == 10);
  CHECK(batches_of["big.example"] == 10);
}

TEST_CASE("100,000 recipients of one tenant in one domain do not delay another tenant there") {
  Scheduler scheduler({.active_per_destination = 4, .active_total = 100});
  for (std::uint64_t message = 1; message <= 100'000; ++message) {
    scheduler.add(waiting(message, 0, "big.example", kNow, "flood"));
  }
  auto under_way = scheduler.take_due(kNow, 100);
  REQUIRE(under_way.size() == 4);
  for (std::uint64_t message = 100'001; message <= 100'003; ++message) {
    scheduler.add(waiting(message, 0, "big.example", kNow, "small"));
  }
  // Each slot that becomes free goes to the two in turn.
  int before = 0;
  int of_small = 0;
  while (of_small < 3) {
    finish(scheduler, under_way.front());
    under_way.erase(under_way.begin());
    const DueBatch next = take_one(scheduler);
    (next.message.value() > 100'000 ? of_small : before) += 1;
    under_way.push_back(next);
  }
  CHECK(before <= 4);  // one more, which was called before the others came
}

TEST_CASE("a tenant that fills every domain it can leaves slots to others") {
  Scheduler scheduler({.active_per_destination = 20, .active_per_tenant = 50, .active_total = 100});
  for (std::uint64_t message = 1; message <= 10'000; ++message) {
    scheduler.add(waiting(message, 0, fmt::format("tarpit{}.example", message), kNow, "flood"));
  }
  CHECK(scheduler.take_due(kNow, 1'000).size() == 50);
  CHECK_FALSE(scheduler.next_due(kNow) == kNow);
  scheduler.add(waiting(20'000, 0, "small.example", kNow, "small"));
  CHECK(take_one(scheduler).message == QueueId(20'000));
}

TEST_CASE("a slot that was kept for a message which an operator drops goes to the next in line") {
  Scheduler scheduler({.active_per_destination = 1, .active_total = 100});
  scheduler.add(waiting(1, 0, "a.example", kNow, "one"));
  const DueBatch first = take_one(scheduler);
  scheduler.add(waiting(2, 0, "a.example", kNow, "two"));
  scheduler.add(waiting(3, 0, "a.example", kNow, "three"));
  CHECK(scheduler.take_due(kNow, 100).empty());
  finish(scheduler, first);  // "two" is called
  scheduler.forget(QueueId(2));
  CHECK(take_one(scheduler).message == QueueId(3));
}

TEST_CASE("100,000 recipients of 1,000 domains are each given out exactly once, first due first within a domain") {
  Scheduler scheduler({.active_per_destination = 3, .active_total = 500});
  std::mt19937 random(7);
  for (std::uint64_t message = 1; message <= 100'000; ++message) {
    scheduler.add(waiting(message, 0, fmt::format("d{}.example", message % 1'000), kNow + Seconds{random() % 3'600}));
  }
  std::set<QueueId> seen;
  std::vector<DueBatch> active;
  WallTime now = kNow;
  while (scheduler.size() > 0) {
    for (DueBatch& batch : scheduler.take_due(now, 64)) {
      REQUIRE(seen.insert(batch.message).second);
      active.push_back(std::move(batch));
    }
    REQUIRE(scheduler.active() <= 500);
    if (active.empty()) {
      const auto next = scheduler.next_due(now);
      REQUIRE(next.has_value());
      now = *next;
      continue;
    }
    for (std::size_t i = 0; i < 50 && !active.empty(); ++i) {
      std::swap(active[random() % active.size()], active.back());
      finish(scheduler, active.back());
      active.pop_back();
    }
  }
  CHECK(seen.size() == 100'000);
  CHECK(scheduler.active() == 0);
  CHECK_FALSE(scheduler.next_due(now).has_value());
}

TEST_CASE("within a domain the recipient that was due first comes first") {
  Scheduler scheduler({.active_per_destination = 1, .active_total = 1'000});
  scheduler.add(waiting(1, 0, "a.example", kNow + Seconds{3}));
  scheduler.add(waiting(2, 0, "a.example", kNow + Seconds{1}));
  scheduler.add(waiting(3, 0, "a.example", kNow + Seconds{2}));
  for (const std::uint64_t wanted : {2U, 3U, 1U}) {
    const DueBatch batch = take_one(scheduler, kNow + Seconds{5});
    CHECK(batch.message == QueueId(wanted));
    finish(scheduler, batch);
  }
}

TEST_CASE("a message expires although its domain has no slot free") {
  Scheduler scheduler({.active_per_destination = 1, .active_total = 1'000});
  scheduler.add(waiting(1, 0, "a.example"));
  scheduler.add(waiting(2, 0, "a.example"));
  const DueBatch stuck = take_one(scheduler);
  CHECK(scheduler.take_due(kNow + kLifetime - Milliseconds{1}, 10).empty());
  const DueBatch expired = take_one(scheduler, kNow + kLifetime);
  CHECK(expired.expired);
  CHECK(expired.message != stuck.message);
  CHECK(scheduler.active() == 1);
  finish(scheduler, expired);
  finish(scheduler, stuck);
  CHECK(scheduler.size() == 0);
  CHECK(scheduler.active() == 0);
}

TEST_CASE("a message expires before a retry that would come too late") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example", kNow + kLifetime + Seconds{100}));
  CHECK(scheduler.next_due(kNow) == kNow + kLifetime);
  CHECK(take_one(scheduler, kNow + kLifetime).expired);
}

TEST_CASE("a deferred recipient that is added again after its attempt waits for its new time") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example"));
  const DueBatch batch = take_one(scheduler);
  CHECK(scheduler.finished(batch.message, batch.domain, batch.ordinals));
  scheduler.add(waiting(1, 0, "a.example", kNow + Seconds{60}));
  CHECK(scheduler.next_due(kNow) == kNow + Seconds{60});
  CHECK(scheduler.take_due(kNow, 10).empty());
  CHECK(take_one(scheduler, kNow + Seconds{60}).ordinals == std::vector<std::uint32_t>{0});
}

TEST_CASE("a recipient under way is not given out twice, even when it is added or retried again") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example"));
  const DueBatch batch = take_one(scheduler);
  scheduler.add(waiting(1, 0, "a.example"));
  scheduler.retry_now(QueueId(1));
  scheduler.hold(QueueId(1));
  scheduler.release(QueueId(1));
  CHECK(scheduler.take_due(kNow, 10).empty());
  CHECK(scheduler.size() == 1);
  finish(scheduler, batch);
  CHECK(scheduler.size() == 0);
}

TEST_CASE("adding a waiting recipient again gives it the new time") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example", kNow + Seconds{60}));
  scheduler.add(waiting(1, 0, "a.example", kNow));
  CHECK(scheduler.size() == 1);
  finish(scheduler, take_one(scheduler));
  CHECK_FALSE(scheduler.next_due(kNow).has_value());
}

TEST_CASE("retry_now makes a message due at once") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example", kNow + Seconds{60}));
  scheduler.add(waiting(2, 0, "a.example", kNow + Seconds{60}));
  scheduler.retry_now(QueueId(2));
  CHECK(take_one(scheduler).message == QueueId(2));
}

TEST_CASE("a held message is neither tried nor expired until it is released") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example"));
  scheduler.hold(QueueId(1));
  scheduler.add(waiting(1, 1, "a.example"));
  scheduler.retry_now(QueueId(1));
  CHECK_FALSE(scheduler.next_due(kNow).has_value());
  CHECK(scheduler.take_due(kNow + kLifetime, 10).empty());
  scheduler.release(QueueId(1));
  CHECK(take_one(scheduler, kNow + Seconds{1}).ordinals == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("a message held during an attempt is held when its recipient comes back") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example"));
  const DueBatch batch = take_one(scheduler);
  scheduler.hold(QueueId(1));
  finish(scheduler, batch);
  scheduler.add(waiting(1, 0, "a.example", kNow));
  CHECK(scheduler.take_due(kNow, 10).empty());
}

TEST_CASE("a forgotten message is not given out, and its attempt under way is told that it is not wanted any more") {
  Scheduler scheduler({.active_per_destination = 1, .active_total = 1'000});
  scheduler.add(waiting(1, 0, "a.example"));
  scheduler.add(waiting(1, 1, "b.example", kNow + Seconds{10}));
  const DueBatch batch = take_one(scheduler);
  scheduler.forget(QueueId(1));
  CHECK_FALSE(scheduler.next_due(kNow).has_value());
  CHECK_FALSE(scheduler.finished(batch.message, batch.domain, batch.ordinals));
  CHECK(scheduler.size() == 0);
  scheduler.add(waiting(2, 0, "a.example"));
  CHECK(take_one(scheduler).message == QueueId(2));
}

TEST_CASE("finishing what was never given out changes nothing") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, 0, "a.example"));
  scheduler.finished(QueueId(1), "a.example", {0});
  scheduler.finished(QueueId(9), "a.example", {0});
  CHECK(scheduler.active() == 0);
  CHECK(take_one(scheduler).message == QueueId(1));
}

TEST_CASE("a scheduler agrees with a simple model over random histories") {
  const auto seed = GENERATE(range(1U, 21U));
  CAPTURE(seed);
  std::mt19937 random(seed);
  Scheduler scheduler(
      {.active_per_destination = 2, .active_per_tenant = 3, .active_total = 5, .recipients_per_batch = 3});
  const auto tenant_of = [](std::uint64_t id) { return fmt::format("t{}", id % 4); };
  std::set<std::pair<std::uint64_t, std::uint32_t>> idle;
  std::vector<DueBatch> active;
  std::size_t active_recipients = 0;
  WallTime now = kNow;
  for (int step = 0; step < 2'000; ++step) {
    const std::uint64_t message = 1 + random() % 12;
    const auto ordinal = static_cast<std::uint32_t>(random() % 6);
    const bool under_way = std::ranges::any_of(active, [&](const DueBatch& batch) {
      return batch.message == QueueId(message) && std::ranges::count(batch.ordinals, ordinal) > 0;
    });
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        scheduler.add(waiting(message, ordinal, fmt::format("d{}.example", ordinal % 3), now + Seconds{random() % 20},
                              tenant_of(message)));
        if (!under_way) idle.emplace(message, ordinal);
        break;
      case 3:
        now += Seconds{random() % 10};
        break;
      case 4:
        scheduler.retry_now(QueueId(message));
        break;
      case 5:
        if (random() % 10 != 0) break;
        scheduler.forget(QueueId(message));
        std::erase_if(idle, [&](const auto& known) { return known.first == message; });
        break;
      case 6:
        for (DueBatch& batch : scheduler.take_due(now, 1 + random() % 3)) {
          REQUIRE(batch.ordinals.size() <= 3);
          for (const std::uint32_t taken : batch.ordinals) REQUIRE(idle.erase({batch.message.value(), taken}) == 1);
          active_recipients += batch.ordinals.size();
          active.push_back(std::move(batch));
        }
        break;
      default:
        if (active.empty()) break;
        std::swap(active[random() % active.size()], active.back());
        active_recipients -= active.back().ordinals.size();
        finish(scheduler, active.back());
        active.pop_back();
    }
    REQUIRE(scheduler.size() == idle.size() + active_recipients);
    REQUIRE(scheduler.active() == active.size());
    std::map<std::string, int> active_of;
    for (const DueBatch& batch : active) REQUIRE(++active_of[batch.domain] <= 2);
    std::map<std::string, int> active_of_tenant;
    for (const DueBatch& batch : active) REQUIRE(++active_of_tenant[tenant_of(batch.message.value())] <= 3);
  }
  // Nothing is stuck: what is left is given out as slots become free.
  now += Seconds{20};
  while (scheduler.size() > 0) {
    for (DueBatch& batch : scheduler.take_due(now, 100)) active.push_back(std::move(batch));
    REQUIRE_FALSE(active.empty());
    std::swap(active[random() % active.size()], active.back());
    finish(scheduler, active.back());
    active.pop_back();
  }
}

TEST_CASE("domains with one destination share its slots, and each has batches of its own") {
  Scheduler scheduler({.active_per_destination = 2});
  for (std::uint64_t message = 1; message <= 6; ++message) {
    WaitingRecipient recipient = waiting(message, 0, message % 2 == 0 ? "a.example" : "b.example");
    recipient.destination = "route out";
    scheduler.add(recipient);
  }
  scheduler.add(waiting(7, 0, "c.example"));
  auto batches = scheduler.take_due(kNow, 100);
  REQUIRE(batches.size() == 3);
  std::set<std::string> seen;
  for (const DueBatch& batch : batches) {
    CHECK(batch.destination == (batch.domain == "c.example" ? "c.example" : "route out"));
    seen.insert(batch.domain);
  }
  CHECK(seen == std::set<std::string>{"a.example", "b.example", "c.example"});
  for (const DueBatch& batch : batches) finish(scheduler, batch);
  CHECK(scheduler.take_due(kNow, 100).size() == 2);
}

TEST_CASE("a destination that may have no batches holds up all its domains, until it may again") {
  Scheduler scheduler({});
  scheduler.set_destination_limit("route out", 0);
  for (std::uint64_t message = 1; message <= 2; ++message) {
    WaitingRecipient recipient = waiting(message, 0, message == 1 ? "a.example" : "b.example");
    recipient.destination = "route out";
    scheduler.add(recipient);
  }
  CHECK(scheduler.take_due(kNow, 100).empty());
  CHECK_FALSE(scheduler.next_due(kNow) == kNow);
  scheduler.set_destination_limit("route out", 20);
  CHECK(scheduler.take_due(kNow, 100).size() == 2);
}
