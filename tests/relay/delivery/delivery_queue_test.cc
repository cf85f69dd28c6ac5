#include "relay/delivery/delivery_queue.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/store/queue_reader.h"
#include "relay/store/store_thread.h"
#include "relay/store/tls_result_store.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {
namespace {

constexpr std::uint64_t kId = 7;
constexpr Milliseconds kPatience{20'000};

/// A delivery queue on a real store whose attempts have the outcomes that the test says.
class Bench {
 public:
  enum class TlsResults { Counted, NotCounted };
  explicit Bench(std::function<RecipientOutcome(const DueBatch&, std::uint32_t)> outcome,
                 TlsResults tls_results = TlsResults::NotCounted)
      : Bench(std::move(outcome), options(tls_results), RetrySchedule({Seconds(600)})) {}
  Bench(std::function<RecipientOutcome(const DueBatch&, std::uint32_t)> outcome, DeliveryQueue::Options options,
        RetrySchedule schedule)
      : outcome_(std::move(outcome)),
        store_(std::move(*SqliteQueueStore::open(directory_.path())), {}),
        wake_up_(loop_, [this] { queue_.run_due(); }),
        queue_(composer_, log_, std::move(schedule), std::move(options), ports()) {}
  ~Bench() { store_.stop(); }

  /// Makes a message durable, gives it to the queue and runs until its attempt is recorded.
  void send(QueuedMessage message) {
    auto shared = std::make_shared<const QueuedMessage>(std::move(message));
    store_.add(shared, std::nullopt, [this, shared](const Result<void>& stored) {
      REQUIRE(stored);
      loop_.post([this, shared] {
        if (wait_for_outcome)
          queue_.enqueue(*shared, *wait_for_outcome, [this](const FirstOutcome& outcome) { heard.push_back(outcome); });
        else
          queue_.enqueue(*shared);
        if (after_enqueue) after_enqueue();
      });
    });
    Timer watch(loop_, [this, &watch] { look(watch); });
    watch.start(Milliseconds(1));
    loop_.run();
  }

  Result<QueuedMessage> stored(std::uint64_t id) { return QueueReader::open(directory_.path())->load(QueueId(id)); }

  std::optional<Suppression> suppression(const std::string& tenant, const char* address, WallTime now) {
    return QueueReader::open(directory_.path())->find_suppression(tenant, *MailAddress::parse(address), now).value();
  }

  /// TLS sessions that the store has counted.
  std::uint64_t counted_sessions() {
    std::promise<std::uint64_t> counted;
    store_.run(
        [&counted](SqliteQueueStore& store) -> Result<void> {
          std::uint64_t sum = 0;
          const auto days = store.tls_results().list();
          REQUIRE(days);
          for (const auto& day : *days) sum += day.successes + day.failures;
          counted.set_value(sum);
          return {};
        },
        [](const Result<void>&) {});
    return counted.get_future().get();
  }

  std::function<void()> after_enqueue;
  std::optional<Milliseconds> wait_for_outcome;
  std::vector<FirstOutcome> heard;
  std::vector<TlsSessionResult> sessions;  ///< what each attempt reports
  std::vector<QueuedMessage> reports;
  std::size_t attempts = 0;
  std::string endless_domain;  ///< whose attempts never end
  std::string destination;     ///< of all mail; empty: its domain
  DeliveryQueue& queue() { return queue_; }

  static DeliveryQueue::Options options(TlsResults tls_results) {
    DeliveryQueue::Options result;
    result.outcomes.delay_report_after = Seconds(14'400);
    result.outcomes.count_tls_results = tls_results == TlsResults::Counted;
    return result;
  }

 private:
  void look(Timer& watch) {
    // An expired batch takes no slot, so only the store tells when it is settled.
    const bool settled = expired_ > 0 ? !stored(kId) : attempts > 0 && queue_.active() == left_alone_;
    if (settled) return loop_.stop();
    watch.start(Milliseconds(1));
  }
  AttemptResult result_of(DueBatch batch) {
    auto message = QueueReader::open(directory_.path())->load(batch.message, batch.ordinals);
    if (!message) return {std::move(batch), {}, {}, tl::unexpected(message.error())};
    DeliveryReport report;
    report.mx_name = "mx.far.example";
    report.tls_results = sessions;
    if (!batch.expired)
      for (const std::uint32_t ordinal : batch.ordinals) report.recipients.push_back(outcome_(batch, ordinal));
    std::vector<std::uint32_t> tried = batch.ordinals;
    return {std::move(batch), std::move(*message), std::move(tried), std::move(report)};
  }
  DeliveryQueue::Ports ports() {
    DeliveryQueue::Ports result;
    result.now = [this] { return loop_.wall_now(); };
    result.wake_up = [this](std::optional<Milliseconds> after) {
      if (after)
        wake_up_.start(*after);
      else
        wake_up_.stop();
    };
    result.record = [this](AttemptRecord record, DeliveryQueue::Ports::Recorded recorded) {
      store_.record(std::move(record), [this, recorded = std::move(recorded)](Result<std::vector<QueueId>> removed) {
        loop_.post([recorded, removed = std::move(removed)] { recorded(removed); });
      });
    };
    result.start_attempt = [this](DueBatch batch) {
      // The report that a bounce gives rise to stays where it is: these tests are about the first message.
      if (batch.message != QueueId(kId) || batch.domain == endless_domain) {
        ++left_alone_;
        return;
      }
      ++attempts;
      loop_.post([this, batch = std::move(batch)]() mutable { queue_.on_result(result_of(std::move(batch))); });
    };
    result.load_expired = [this](DueBatch batch) {
      ++expired_;
      loop_.post([this, batch = std::move(batch)]() mutable { queue_.on_result(result_of(std::move(batch))); });
    };
    result.destination = [this](const std::string&, const std::string&) { return destination; };
    result.seal_report = [this](QueuedMessage report, std::function<void(QueuedMessage)> on_sealed) {
      reports.push_back(report);
      loop_.post([report = std::move(report), on_sealed] { on_sealed(report); });
    };
    return result;
  }

  TemporaryDirectory directory_;
  std::function<RecipientOutcome(const DueBatch&, std::uint32_t)> outcome_;
  EventLoop loop_;
  QueueIdSource ids_{1};
  ReportComposer composer_{ids_, {"relay.example", Seconds(86'400)}};
  EventLog log_{EventLog::Format::Text, Severity::Error, STDERR_FILENO, [] { return WallTime{}; }};
  StoreThread store_;
  std::size_t expired_ = 0;
  std::size_t left_alone_ = 0;
  Timer wake_up_;
  DeliveryQueue queue_;
};

RecipientOutcome outcome(RecipientOutcome::Kind kind, std::string status) {
  return {kind, std::move(status), "mx.far.example said so", "the reply"};
}

QueuedMessage lasting_message(std::initializer_list<const char*> recipients) {
  QueuedMessage message = test_message(kId, recipients);
  message.expires = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()) + Seconds(86'400);
  return message;
}

// Its time has just ended, and its next attempt would have come later.
void end_now(QueuedMessage& message) {
  message.expires = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()) - Seconds(1);
  for (QueuedRecipient& recipient : message.recipients) recipient.next_attempt = message.expires + Seconds(60);
}

TEST_CASE("a delivered message leaves the queue") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Delivered, "2.0.0"); });
  bench.send(lasting_message({"a@far.example", "b@far.example"}));
  CHECK(bench.attempts == 1);
  CHECK(bench.reports.empty());
  CHECK(bench.stored(kId).error().kind == ErrorKind::NotFound);
}

TEST_CASE("recipients that are held when the message comes in are left alone") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Delivered, "2.0.0"); });
  QueuedMessage message = lasting_message({"a@far.example", "b@far.example"});
  message.recipients[0].state = RecipientState::Held;
  bench.send(message);
  CHECK(bench.attempts == 1);
  const auto left = bench.stored(kId);
  REQUIRE(left);
  CHECK(left->recipients[0].state == RecipientState::Held);
  CHECK(left->recipients[1].state == RecipientState::Delivered);
  CHECK(bench.queue().waiting() == 0);
}

TEST_CASE("what was held beyond its end and is released is tried, not given up") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Delivered, "2.0.0"); });
  QueuedMessage message = lasting_message({"a@far.example"});
  const WallTime new_end = std::exchange(message.expires, message.expires - Seconds(86'400));
  bench.queue().hold(message.id);
  bench.after_enqueue = [&bench, new_end] {
    bench.queue().retry({QueueId(kId), 0, "far.example", 0, new_end - Seconds(86'400), new_end, "tenant"});
    bench.queue().release(QueueId(kId));
  };
  bench.send(std::move(message));
  CHECK(bench.attempts == 1);
  CHECK(bench.stored(kId).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a client that waits hears what the receiver says of all recipients, and a refusal makes no report") {
  const bool refused = GENERATE(true, false);
  Bench bench([refused](const DueBatch&, std::uint32_t) {
    return refused ? outcome(RecipientOutcome::Kind::Bounced, "5.1.1")
                   : outcome(RecipientOutcome::Kind::Delivered, "2.0.0");
  });
  bench.wait_for_outcome = kPatience;
  bench.send(lasting_message({"a@far.example", "b@far.example"}));
  REQUIRE(bench.heard.size() == 1);
  CHECK(bench.heard[0].kind == (refused ? FirstOutcome::Kind::Refused : FirstOutcome::Kind::Delivered));
  CHECK(bench.heard[0].mx_name == "mx.far.example");
  CHECK(bench.heard[0].remote_reply == "the reply");
  CHECK(bench.reports.empty());
  CHECK(bench.stored(kId).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a client hears that its message is queued where no one answer is right, and reports go out") {
  const bool deferred = GENERATE(true, false);
  Bench bench([deferred](const DueBatch&, std::uint32_t ordinal) {
    if (ordinal == 0) return outcome(RecipientOutcome::Kind::Bounced, "5.1.1");
    return deferred ? outcome(RecipientOutcome::Kind::Deferred, "4.7.1")
                    : outcome(RecipientOutcome::Kind::Delivered, "2.0.0");
  });
  bench.wait_for_outcome = kPatience;
  bench.send(lasting_message({"a@far.example", "b@far.example"}));
  REQUIRE(bench.heard.size() == 1);
  CHECK(bench.heard[0].kind == FirstOutcome::Kind::Queued);
  CHECK(bench.reports.size() == 1);
}

TEST_CASE("a client does not wait for a message that is held, for later, or for several domains") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Bounced, "5.1.1"); });
  bench.wait_for_outcome = kPatience;
  QueuedMessage message = lasting_message({"a@far.example", "b@far.example"});
  SECTION("held") {
    message.recipients[0].state = RecipientState::Held;
  }
  SECTION("several domains") {
    message = lasting_message({"a@far.example", "b@other.example"});
  }
  bench.send(std::move(message));
  REQUIRE(bench.heard.size() == 1);
  CHECK(bench.heard[0].kind == FirstOutcome::Kind::Queued);
  CHECK_FALSE(bench.reports.empty());
}

TEST_CASE("a client that has gone leaves a failure to a report") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Bounced, "5.1.1"); });
  bench.wait_for_outcome = kPatience;
  bench.after_enqueue = [&bench] { bench.queue().stop_watching(QueueId(kId)); };
  bench.send(lasting_message({"a@far.example"}));
  REQUIRE(bench.heard.size() == 1);
  CHECK(bench.heard[0].kind == FirstOutcome::Kind::Queued);
  CHECK(bench.reports.size() == 1);
}

TEST_CASE("a client waits no longer than it may") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Bounced, "5.1.1"); });
  bench.wait_for_outcome = Milliseconds(0);
  bench.send(lasting_message({"a@far.example"}));
  REQUIRE(bench.heard.size() == 1);
  CHECK(bench.heard[0].kind == FirstOutcome::Kind::Queued);
  CHECK(bench.reports.size() == 1);
}

TEST_CASE("TLS sessions are counted with the outcome of their attempt where that is asked for") {
  const auto wanted = GENERATE(Bench::TlsResults::Counted, Bench::TlsResults::NotCounted);
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Delivered, "2.0.0"); },
              wanted);
  bench.sessions.resize(2);
  bench.send(lasting_message({"a@far.example"}));
  CHECK(bench.counted_sessions() == (wanted == Bench::TlsResults::Counted ? 2 : 0));
}

TEST_CASE("a deferred recipient waits for its next time and keeps the reason") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Deferred, "4.7.5"); });
  bench.send(lasting_message({"a@far.example"}));
  const auto message = bench.stored(kId);
  REQUIRE(message);
  CHECK(message->recipients.front().state == RecipientState::Deferred);
  CHECK(message->recipients.front().attempts == 1);
  CHECK(message->recipients.front().status == "4.7.5");
  CHECK(message->recipients.front().reason == "mx.far.example said so");
  CHECK_THAT(message->recipients.front().report, Catch::Contains(R"("class":"policy")"));
  CHECK(bench.queue().waiting() == 1);
  CHECK(bench.reports.empty());
}

TEST_CASE("a recipient that no source of ours may reach waits until one may, and nothing counts against its domain") {
  const WallTime until = std::chrono::floor<Seconds>(std::chrono::system_clock::now()) + Seconds(5'000);
  Bench bench([until](const DueBatch&, std::uint32_t) {
    RecipientOutcome all_rest = outcome(RecipientOutcome::Kind::Deferred, "4.4.5");
    all_rest.remote_reply.clear();
    all_rest.retry_at = until;
    return all_rest;
  });
  bench.send(lasting_message({"a@far.example"}));
  const auto message = bench.stored(kId);
  REQUIRE(message);
  CHECK(message->recipients.front().state == RecipientState::Deferred);
  CHECK(message->recipients.front().next_attempt == until);
  CHECK(message->recipients.front().attempts == 0);
}

TEST_CASE("a reply about our source has the message tried again at once, and is no news about its domain") {
  RecipientOutcome refused = outcome(RecipientOutcome::Kind::Deferred, "4.7.1");
  refused.remote_reply = "421 4.7.1 your address is blocked";
  refused.stage = DeliveryStage::Greeting;
  DeliveryReport report;
  report.recipients = {refused};
  CHECK(concurrency_feedback(report) == DestinationConcurrency::Feedback::Unreached);
  report.recipients[0].retry_at = WallTime{};
  CHECK(concurrency_feedback(report) == DestinationConcurrency::Feedback::Unknown);
  int attempts = 0;
  Bench bench([&](const DueBatch&, std::uint32_t) {
    return ++attempts == 1 ? report.recipients[0] : outcome(RecipientOutcome::Kind::Delivered, "2.0.0");
  });
  bench.send(lasting_message({"a@far.example"}));
  CHECK(attempts == 2);
  CHECK(bench.stored(kId).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a recipient that is tried again still counts for the tenant of its message") {
  auto options = Bench::options(Bench::TlsResults::NotCounted);
  options.limits.active_per_tenant = 1;
  bool tried = false;
  const auto deferred_once = [&tried](const DueBatch&, std::uint32_t) {
    return outcome(std::exchange(tried, true) ? RecipientOutcome::Kind::Delivered : RecipientOutcome::Kind::Deferred,
                   "4.7.5");
  };
  Bench bench(deferred_once, options, RetrySchedule({Seconds(0)}));
  bench.endless_domain = "endless.example";
  bench.send(lasting_message({"a@far.example", "b@endless.example"}));
  // It is due again at once, but the attempt at the other domain takes all that the tenant may have under way.
  CHECK(bench.attempts == 1);
  CHECK(bench.queue().active() == 1);
}

TEST_CASE("each recipient gets its own outcome, and the sender one report on those that failed") {
  Bench bench([](const DueBatch&, std::uint32_t ordinal) {
    if (ordinal == 0) return outcome(RecipientOutcome::Kind::Delivered, "2.0.0");
    return outcome(ordinal == 1 ? RecipientOutcome::Kind::Bounced : RecipientOutcome::Kind::Deferred, "5.1.1");
  });
  bench.send(lasting_message({"a@far.example", "b@far.example", "c@far.example"}));
  const auto message = bench.stored(kId);
  REQUIRE(message);
  CHECK(message->recipients.at(0).state == RecipientState::Delivered);
  CHECK(message->recipients.at(1).state == RecipientState::Bounced);
  CHECK(message->recipients.at(2).state == RecipientState::Deferred);
  REQUIRE(bench.reports.size() == 1);
  CHECK_FALSE(bench.reports.front().reverse_path.has_value());
  CHECK(bench.reports.front().recipients.front().address.str() == "sender@client.example");
  CHECK(bench.stored(bench.reports.front().id.value()).has_value());
}

TEST_CASE("a failed message with a null reverse-path is answered by nothing") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Bounced, "5.1.1"); });
  QueuedMessage message = lasting_message({"a@far.example"});
  message.reverse_path.reset();
  bench.send(std::move(message));
  CHECK(bench.reports.empty());
  CHECK(bench.stored(kId).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a message whose time is over is given up with a report, without another attempt") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Delivered, "2.0.0"); });
  QueuedMessage message = lasting_message({"a@far.example"});
  end_now(message);
  bench.send(std::move(message));
  CHECK(bench.attempts == 0);
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.stored(kId).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a mailbox that is not there is suppressed for its tenant, where that is asked for") {
  const auto bounces = [](const DueBatch&, std::uint32_t ordinal) {
    return outcome(RecipientOutcome::Kind::Bounced, ordinal == 0 ? "5.1.1" : "5.7.1");
  };
  auto options = Bench::options(Bench::TlsResults::NotCounted);
  std::string for_tenant = "tenant";
  options.outcomes.suppresses_bad_mailboxes = [&for_tenant](const std::string& tenant) { return tenant == for_tenant; };
  options.outcomes.suppress_for = Seconds(86'400);
  const WallTime now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  {
    Bench bench(bounces, options, RetrySchedule({Seconds(600)}));
    bench.send(lasting_message({"bob@far.example", "ann@far.example"}));
    const auto found = bench.suppression("tenant", "bob@far.example", now);
    REQUIRE(found);
    CHECK(found->reason == "mx.far.example said so");
    CHECK(found->until >= now + Seconds(86'400));
    CHECK_FALSE(bench.suppression("tenant", "ann@far.example", now));
  }
  for_tenant = "other";
  Bench bench(bounces, options, RetrySchedule({Seconds(600)}));
  bench.send(lasting_message({"bob@far.example"}));
  CHECK_FALSE(bench.suppression("tenant", "bob@far.example", now));
}

TEST_CASE("NOTIFY=NEVER keeps a failure from being reported") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Bounced, "5.1.1"); });
  QueuedMessage message = lasting_message({"a@far.example"});
  message.recipients[0].notice.notify = NotifyWish{};
  bench.send(std::move(message));
  CHECK(bench.reports.empty());
  CHECK(bench.stored(kId).error().kind == ErrorKind::NotFound);
}

TEST_CASE("success is reported where it was asked for, unless the next host reports it") {
  const bool passed_on = GENERATE(true, false);
  Bench bench([passed_on](const DueBatch&, std::uint32_t) {
    RecipientOutcome delivered = outcome(RecipientOutcome::Kind::Delivered, "2.0.0");
    delivered.notices_passed_on = passed_on;
    return delivered;
  });
  QueuedMessage message = lasting_message({"a@far.example", "b@far.example"});
  message.recipients[0].notice.notify = NotifyWish{true, false, false};
  bench.send(std::move(message));
  REQUIRE(bench.reports.size() == (passed_on ? 0 : 1));
  if (passed_on) return;
  CHECK(bench.reports[0].body.find("Action: relayed") != std::string::npos);
  CHECK(bench.reports[0].body.find("b@far.example") == std::string::npos);
}

TEST_CASE("a delay is reported once, to who asked for it, when it has become long") {
  const Seconds age = GENERATE(Seconds(600), Seconds(86'000));
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Deferred, "4.4.1"); });
  QueuedMessage message = lasting_message({"a@far.example", "b@far.example", "c@far.example"});
  message.accepted = message.expires - Seconds(86'400) - age;
  message.recipients[0].notice.notify = NotifyWish{false, false, true};
  message.recipients[1].notice.notify = NotifyWish{false, false, true};
  message.recipients[1].delay_told = true;
  bench.send(std::move(message));
  const bool is_long = age > Seconds(14'400);
  REQUIRE(bench.reports.size() == (is_long ? 1 : 0));
  const auto left = bench.stored(kId);
  REQUIRE(left);
  CHECK(left->recipients[0].delay_told == is_long);
  CHECK(left->recipients[1].delay_told);
  if (!is_long) return;
  CHECK(bench.reports[0].body.find("Final-Recipient: rfc822; a@far.example") != std::string::npos);
  CHECK(bench.reports[0].body.find("Final-Recipient: rfc822; b@far.example") == std::string::npos);
}

TEST_CASE("a message that was to come back in time fails with a status of its own") {
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Delivered, "2.0.0"); });
  QueuedMessage message = lasting_message({"a@far.example"});
  end_now(message);
  message.deliver_by = DeliverBy{message.expires, ByMode::Return, false};
  bench.send(std::move(message));
  CHECK(bench.attempts == 0);
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.reports[0].body.find("Action: failed\r\nStatus: 5.4.7\r\n") != std::string::npos);
}

TEST_CASE("a sender that wanted to be told of lateness is told at that time and not before") {
  const Seconds left = GENERATE(Seconds(60), Seconds(-1));
  Bench bench([](const DueBatch&, std::uint32_t) { return outcome(RecipientOutcome::Kind::Deferred, "4.4.1"); });
  QueuedMessage message = lasting_message({"a@far.example", "b@far.example"});
  message.accepted = message.expires - Seconds(2 * 86'400);  // long enough for a report of delay that others get
  const WallTime by = message.expires - Seconds(86'400) + left;
  message.deliver_by = DeliverBy{by, ByMode::Notify, false};
  message.recipients[1].notice.notify = NotifyWish{};
  bench.send(std::move(message));
  const auto stored = bench.stored(kId);
  REQUIRE(stored);
  CHECK(stored->recipients[0].state == RecipientState::Deferred);
  CHECK((stored->recipients[0].next_attempt == by) == (left > Seconds(0)));
  REQUIRE(bench.reports.size() == (left > Seconds(0) ? 0 : 1));
  if (left > Seconds(0)) return;
  CHECK(bench.reports[0].body.find("Action: delayed\r\nStatus: 4.4.7\r\n") != std::string::npos);
  CHECK(bench.reports[0].body.find("b@far.example") == std::string::npos);
}

TEST_CASE("handing on is reported where the next host does not know of the time, or each is to tell") {
  const bool passed_on = GENERATE(true, false);
  const bool trace = GENERATE(true, false);
  Bench bench([passed_on](const DueBatch&, std::uint32_t) {
    RecipientOutcome delivered = outcome(RecipientOutcome::Kind::Delivered, "2.0.0");
    delivered.notices_passed_on = true;
    delivered.deliver_by_passed_on = passed_on;
    return delivered;
  });
  QueuedMessage message = lasting_message({"a@far.example", "b@far.example"});
  message.deliver_by = DeliverBy{message.expires, ByMode::Notify, trace};
  message.recipients[1].notice.notify = NotifyWish{};
  bench.send(std::move(message));
  REQUIRE(bench.reports.size() == (passed_on && !trace ? 0 : 1));
  if (bench.reports.empty()) return;
  CHECK(bench.reports[0].body.find("Action: relayed") != std::string::npos);
  CHECK(bench.reports[0].body.find("b@far.example") == std::string::npos);
}

TEST_CASE("a refused login leaves all mail of its route alone, and no other mail") {
  const bool routed = GENERATE(true, false);
  DeliveryQueue::Options options = Bench::options(Bench::TlsResults::NotCounted);
  options.concurrency.initial = 1;
  Bench bench(
      [](const DueBatch&, std::uint32_t) {
        RecipientOutcome refused = outcome(RecipientOutcome::Kind::Deferred, "4.7.8");
        refused.remote_reply = "535 5.7.8 no";
        refused.stage = DeliveryStage::Login;
        return refused;
      },
      std::move(options), RetrySchedule({Seconds(600)}));
  if (routed) bench.destination = "route out";
  bench.send(lasting_message({"a@one.example", "b@other.example"}));
  CHECK(bench.attempts == (routed ? 1 : 2));
}

TEST_CASE("what an attempt says about its hosts is told from how far it came") {
  using Feedback = DestinationConcurrency::Feedback;
  const auto feedback = [](DeliveryStage stage, const std::string& reply) {
    DeliveryReport report;
    report.recipients.push_back(outcome(RecipientOutcome::Kind::Deferred, "4.0.0"));
    report.recipients[0].stage = stage;
    report.recipients[0].remote_reply = reply;
    return concurrency_feedback(report);
  };
  CHECK(feedback(DeliveryStage::Login, "535 5.7.8 no") == Feedback::Refused);
  CHECK(feedback(DeliveryStage::Login, "") == Feedback::Refused);
  CHECK(feedback(DeliveryStage::Login, "421 4.3.2 busy") == Feedback::Unreached);
  CHECK(feedback(DeliveryStage::Connect, "") == Feedback::Unreached);
  CHECK(feedback(DeliveryStage::Rcpt, "450 4.2.1 later") == Feedback::Reached);
  CHECK(feedback(DeliveryStage::None, "") == Feedback::Unknown);
}

}  // namespace
}  // namespace waxwing
