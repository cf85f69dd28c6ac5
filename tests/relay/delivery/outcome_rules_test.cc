#include "relay/delivery/outcome_rules.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "relay/delivery/first_outcome.h"
#include "relay/queue/scheduler.h"
#include "tests/relay/store/test_messages.h"

namespace waxwing {
namespace {

constexpr Seconds kLifetime{432'000};

RecipientOutcome deferred(std::string status, std::string reply, DeliveryStage stage) {
  RecipientOutcome outcome;
  outcome.status = std::move(status);
  outcome.reason = "as the test says";
  outcome.remote_reply = std::move(reply);
  outcome.stage = stage;
  return outcome;
}

OutcomeRules rules() {
  return OutcomeRules(RetrySchedule({Seconds(300), Seconds(600), Seconds(1'200), Seconds(2'400), Seconds(3'600)}), {});
}

// An attempt on all recipients of a message that came to the same for each.
AttemptResult attempt(QueuedMessage message, const RecipientOutcome& outcome) {
  std::vector<std::uint32_t> ordinals;
  DeliveryReport report;
  for (const QueuedRecipient& recipient : message.recipients) {
    ordinals.push_back(recipient.ordinal);
    report.recipients.push_back(outcome);
  }
  DueBatch batch{message.id, message.recipients.front().address.domain.str(), ordinals};
  return {std::move(batch), std::move(message), std::move(ordinals), std::move(report)};
}

TEST_CASE("recipients that one transaction deferred for one reason are tried again in one") {
  const auto outcome = deferred("4.4.1", "", DeliveryStage::Connect);
  const Settlement settled =
      rules().settle(attempt(test_message(1, {"a@far.example", "b@far.example", "c@far.example"}), outcome), kNow);
  REQUIRE(settled.again.size() == 3);
  CHECK(settled.again[1].next_attempt == settled.again[0].next_attempt);
  CHECK(settled.again[2].next_attempt == settled.again[0].next_attempt);
}

TEST_CASE("recipients whose failures have different causes have times of their own") {
  AttemptResult result = attempt(test_message(1, {"a@far.example", "b@far.example"}),
                                 deferred("4.2.0", "450 4.2.0 greylisted", DeliveryStage::Rcpt));
  result.report->recipients[1] = deferred("4.2.2", "452 4.2.2 mailbox full", DeliveryStage::Rcpt);
  const Settlement settled = rules().settle(result, kNow);
  CHECK(settled.again[0].next_attempt < kNow + Seconds(400));
  CHECK(settled.again[1].next_attempt > kNow + Seconds(2'000));
}

TEST_CASE("nobody is said to wait for an attempt beyond the end of the message") {
  QueuedMessage message = test_message(1);
  message.expires = kNow + Seconds(60);
  const Settlement settled =
      rules().settle(attempt(message, deferred("4.2.2", "452 4.2.2 mailbox full", DeliveryStage::Rcpt)), kNow);
  REQUIRE(settled.again.size() == 1);
  CHECK(settled.again[0].next_attempt == message.expires);
  CHECK(settled.record.updates[0].next_attempt == message.expires);
  Scheduler scheduler({});
  scheduler.add(settled.again[0]);
  CHECK(scheduler.take_due(message.expires - Milliseconds(1), 1).empty());
  const auto batches = scheduler.take_due(message.expires, 1);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].expired);
}

TEST_CASE("a client that waits is told nothing of a message of which others were not tried") {
  RecipientOutcome delivered = deferred("2.0.0", "250 2.0.0 ok", DeliveryStage::Content);
  delivered.kind = RecipientOutcome::Kind::Delivered;
  const AttemptResult result = attempt(test_message(1, {"a@far.example", "b@far.example"}), delivered);
  const Settlement settled = rules().settle(result, kNow);
  CHECK(first_outcome(result, settled.record, 2).kind == FirstOutcome::Kind::Delivered);
  CHECK(first_outcome(result, settled.record, 3).kind == FirstOutcome::Kind::Queued);
}

// 100,000 messages for as many domains, all deferred at one moment for this reason; how many attempts begin in each
// second after it.
std::vector<std::size_t> attempts_by_second(const RecipientOutcome& outcome) {
  constexpr std::size_t kMessages = 100'000;
  const OutcomeRules all_rules = rules();
  Scheduler scheduler({20, kMessages, kMessages, 100});
  QueuedMessage message = test_message(1);
  message.expires = kNow + kLifetime;
  for (std::size_t id = 1; id <= kMessages; ++id) {
    message.id = QueueId(id << 22U);  // as messages that came one after the other
    message.recipients[0].address.domain = DomainName::parse("d" + std::to_string(id) + ".example").value();
    Settlement settled = all_rules.settle(attempt(message, outcome), kNow);
    scheduler.add(settled.again.at(0));
  }
  std::vector<std::size_t> seconds;
  for (std::size_t begun = 0; begun < kMessages; begun += seconds.back()) {
    REQUIRE(seconds.size() < 10'000);
    seconds.push_back(scheduler.take_due(kNow + Seconds(seconds.size()), kMessages).size());
  }
  return seconds;
}

TEST_CASE("a hundred thousand messages that failed at one moment do not come back together") {
  struct Case {
    RecipientOutcome outcome;
    std::size_t first, last;  // seconds
  };
  const auto [outcome, first, last] =
      GENERATE(Case{deferred("4.4.3", "", DeliveryStage::None), 150, 450},
               Case{deferred("4.4.1", "", DeliveryStage::Connect), 240, 360},
               Case{deferred("4.2.0", "450 4.2.0 greylisted", DeliveryStage::Rcpt), 300, 360});
  const std::vector<std::size_t> seconds = attempts_by_second(outcome);
  CAPTURE(outcome.status);
  CHECK(std::all_of(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(first),
                    [](std::size_t begun) { return begun == 0; }));
  CHECK(seconds.size() <= last + 1);
  const std::size_t even_share = 100'000 / (last - first);
  CHECK(*std::ranges::max_element(seconds) < even_share * 4 / 3);
}

}  // namespace
}  // namespace waxwing
