#include "relay/delivery/unrecorded_outcomes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/delivery/delivery_queue.h"
#include "tests/relay/store/test_messages.h"

namespace waxwing {
namespace {

UnrecordedOutcomes::Outcome outcome_of(std::uint64_t id) {
  return {QueueId(id), {{test_update(id, 0, RecipientState::Delivered)}, {}}};
}

TEST_CASE("what is refused again waits twice as long, up to an hour") {
  UnrecordedOutcomes unrecorded;
  WallTime now = kNow;
  REQUIRE(unrecorded.keep(outcome_of(1), now) == now + Seconds(60));
  CHECK(unrecorded.take_due(now + Seconds(59)).empty());
  for (const Seconds wanted :
       {Seconds(120), Seconds(240), Seconds(480), Seconds(960), Seconds(1'920), Seconds(3'600), Seconds(3'600)}) {
    now = *unrecorded.next_due();
    auto due = unrecorded.take_due(now);
    REQUIRE(due.size() == 1);
    CHECK(unrecorded.keep(std::move(due[0]), now) == now + wanted);
  }
}

TEST_CASE("there is room for so many unrecorded outcomes, and then for no more") {
  UnrecordedOutcomes unrecorded;
  for (std::uint64_t id = 0; id < kMaxUnrecordedOutcomes; ++id) REQUIRE(unrecorded.keep(outcome_of(id), kNow));
  CHECK_FALSE(unrecorded.keep(outcome_of(kMaxUnrecordedOutcomes), kNow));
  CHECK(unrecorded.take_due(kNow + Seconds(60)).size() == kMaxUnrecordedOutcomes);
  CHECK(unrecorded.keep(outcome_of(kMaxUnrecordedOutcomes), kNow));
}

TEST_CASE("an operator and a clock that is set back bring an unrecorded outcome forward") {
  UnrecordedOutcomes unrecorded;
  (void)unrecorded.keep(outcome_of(1), kNow);
  CHECK_FALSE(unrecorded.hurry(QueueId(2), 0, kNow));
  CHECK_FALSE(unrecorded.hurry(QueueId(1), 1, kNow));
  CHECK(unrecorded.hurry(QueueId(1), 0, kNow));
  CHECK(unrecorded.take_due(kNow).size() == 1);
  (void)unrecorded.keep(outcome_of(1), kNow + Seconds(1'000'000));
  unrecorded.bring_forward(kNow);
  CHECK(unrecorded.next_due() == kNow + kLongestRecordRetry);
}

/// A queue in virtual time whose store refuses what the test says, and which delivers everything at once.
class Bench {
 public:
  Bench() : queue_(composer_, log_, RetrySchedule({Seconds(600)}), {}, ports()) {}
  ~Bench() { ::close(lines_); }

  /// Lets all that was asked for happen, and the time pass.
  void pass(Milliseconds time) {
    const WallTime end = now_ + time;
    for (;;) {
      while (!posted_.empty())
        for (const std::function<void()>& event : std::exchange(posted_, {})) event();
      if (!wake_up_ || *wake_up_ > end) break;
      now_ = std::max(now_, *std::exchange(wake_up_, {}));
      queue_.run_due();
    }
    now_ = end;
  }

  DeliveryQueue& queue() { return queue_; }
  std::string log() const {
    std::string lines(10'000, '\0');
    lines.resize(static_cast<std::size_t>(::pread(lines_, lines.data(), lines.size(), 0)));
    return lines;
  }
  std::optional<ErrorKind> refusal;
  std::size_t attempts = 0;
  std::vector<AttemptRecord> asked;  ///< to be recorded

 private:
  DeliveryQueue::Ports ports() {
    DeliveryQueue::Ports result;
    result.now = [this] { return now_; };
    result.wake_up = [this](std::optional<Milliseconds> after) {
      wake_up_.reset();
      if (after) wake_up_ = now_ + *after;
    };
    result.start_attempt = [this](DueBatch batch) {
      ++attempts;
      posted_.push_back([this, batch]() mutable {
        RecipientOutcome delivered{RecipientOutcome::Kind::Delivered, "2.0.0", "taken", "250 ok"};
        DeliveryReport report;
        report.recipients.assign(batch.ordinals.size(), delivered);
        std::vector<std::uint32_t> tried = batch.ordinals;
        queue_.on_result({std::move(batch), test_message(1), std::move(tried), std::move(report)});
      });
    };
    result.load_expired = [](DueBatch) { FAIL("nothing is to expire here"); };
    result.record = [this](AttemptRecord record, DeliveryQueue::Ports::Recorded recorded) {
      asked.push_back(std::move(record));
      Result<std::vector<QueueId>> answer = std::vector<QueueId>{QueueId(1)};
      if (refusal) answer = fail(*refusal, "the row is not to be changed");
      posted_.push_back([answer = std::move(answer), recorded = std::move(recorded)] { recorded(answer); });
    };
    return result;
  }

  WallTime now_ = kNow;
  std::optional<WallTime> wake_up_;
  std::vector<std::function<void()>> posted_;
  QueueIdSource ids_{1};
  ReportComposer composer_{ids_, {"relay.example", Seconds(86'400)}};
  int lines_ = ::memfd_create("log", MFD_CLOEXEC);
  EventLog log_{EventLog::Format::Text, Severity::Info, lines_, [] { return WallTime{}; }};
  DeliveryQueue queue_;
};

TEST_CASE("an outcome that the store refuses is recorded later, and nobody is tried again meanwhile") {
  Bench bench;
  bench.refusal = ErrorKind::Conflict;
  bench.queue().enqueue(test_message(1));
  bench.pass(Seconds(3'600));
  CHECK(bench.attempts == 1);
  CHECK(bench.queue().active() == 0);
  CHECK(bench.asked.size() == 6);  // after 0, 1, 3, 7, 15 and 31 minutes
  CHECK_THAT(bench.log(), Catch::Contains("outcome_not_recorded id=" + QueueId(1).str()) &&
                              Catch::Contains("the row is not to be changed") &&
                              Catch::Contains("recorded_again=2026-01-31T12:01:00"));
  bench.refusal.reset();
  bench.pass(Seconds(3'600));
  CHECK(bench.asked.size() == 7);
  REQUIRE(bench.asked.back().updates.size() == 1);
  CHECK(bench.asked.back().updates[0].state == RecipientState::Delivered);
  CHECK_THAT(bench.log(), Catch::Contains("outcome_recorded id=") && Catch::Contains("message_finished id="));
  bench.pass(Seconds(86'400));
  CHECK(bench.asked.size() == 7);
  CHECK(bench.attempts == 1);
}

TEST_CASE("an operator who retries a recipient with an unrecorded outcome has that recorded, and no second delivery") {
  Bench bench;
  bench.refusal = ErrorKind::Conflict;
  bench.queue().enqueue(test_message(1));
  bench.pass(Seconds(10));
  bench.refusal.reset();
  bench.queue().retry({QueueId(1), 0, "far.example", 1, kNow, kNow + Seconds(86'400)});
  bench.pass(Milliseconds(0));
  CHECK(bench.asked.size() == 2);
  CHECK(bench.attempts == 1);
}

TEST_CASE("a queue that is being closed leaves what is not recorded to the next start") {
  Bench bench;
  bench.refusal = ErrorKind::Unavailable;
  bench.queue().enqueue(test_message(1));
  bench.pass(Seconds(86'400));
  CHECK(bench.asked.size() == 1);
}

}  // namespace
}  // namespace waxwing
