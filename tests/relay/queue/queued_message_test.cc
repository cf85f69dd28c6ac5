#include "relay/queue/queued_message.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

using namespace waxwing;

namespace {

const WallTime kNow = std::chrono::sys_days{std::chrono::year{2026} / 1 / 31};

}  // namespace

TEST_CASE("a queue id is read back from what it prints") {
  for (const std::uint64_t value : {0ULL, 1ULL, 31ULL, 32ULL, 0x123456789abcdefULL, (1ULL << 63) - 1}) {
    const QueueId id(value);
    REQUIRE(id.str().size() == 13);
    REQUIRE(QueueId::parse(id.str()) == id);
  }
  CHECK(QueueId((1ULL << 63) - 1).str() == "7ZZZZZZZZZZZZ");
}

TEST_CASE("a queue id that a person wrote down is understood") {
  CHECK(QueueId::parse("00000000000Il")->value() == 33);
  CHECK(QueueId::parse("0000000o0000a")->value() == 10);
}

TEST_CASE("text that is no queue id is refused") {
  for (const char* text : {"", "7ZZZZZZZZZZZ", "7ZZZZZZZZZZZZZ", "8000000000000", "ZZZZZZZZZZZZZ", "00000000000U0",
                           "0000000 00000", "000000000000-"}) {
    CAPTURE(text);
    REQUIRE_FALSE(QueueId::parse(text));
  }
}

TEST_CASE("queue ids grow with time, and go on growing when the clock steps back") {
  QueueIdSource ids(12345);
  const QueueId first = ids.next(kNow);
  const QueueId second = ids.next(kNow);
  const QueueId third = ids.next(kNow + Milliseconds{1});
  const QueueId after_step = ids.next(kNow - Seconds{3600});
  CHECK(first < second);
  CHECK(second < third);
  CHECK(third < after_step);
  CHECK(first.str() < after_step.str());
  CHECK(ids.next(WallTime{}) > after_step);
}

TEST_CASE("the time of a queue id is the one at which it was made") {
  QueueIdSource ids(0xffffffff);
  const auto since_2020 = kNow - WallTime{std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}};
  CHECK(ids.next(kNow).value() >> 22 == static_cast<std::uint64_t>(since_2020.count()));
}

TEST_CASE("threads that share a source never get the same queue id") {
  QueueIdSource ids(1);
  std::vector<std::vector<QueueId>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine, &ids] {
      for (int i = 0; i < 5'000; ++i) mine.push_back(ids.next(kNow));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<QueueId> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  CHECK(all.size() == 20'000);
}

TEST_CASE("three states wait and four are final") {
  for (const auto state : {RecipientState::Queued, RecipientState::Deferred, RecipientState::Held}) {
    CHECK_FALSE(is_final(state));
  }
  for (const auto state :
       {RecipientState::Delivered, RecipientState::Bounced, RecipientState::Expired, RecipientState::Dropped}) {
    CHECK(is_final(state));
  }
  CHECK(recipient_state_name(RecipientState::Deferred) == "deferred");
}
