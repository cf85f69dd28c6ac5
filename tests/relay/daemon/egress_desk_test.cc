#include "relay/daemon/egress_desk.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <vector>

#include "relay/store/egress_store.h"
#include "tests/relay/store/temporary_directory.h"

namespace waxwing {
namespace {

const WallTime kMidnight = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);
const WallTime kNow = kMidnight + std::chrono::hours(9);
const std::vector<IpAddress> kHost = {*IpAddress::parse("192.0.2.80")};
const std::string kMx = "mx1.mail.example";

Config config() {
  Config config;
  config.hostname = "relay.example";
  config.egress_sources = {{"a", {*IpAddress::parse("192.0.2.1")}, {}, "a.relay.example", kMidnight, {1}}};
  config.egress_pauses = {{"rate", "mail.example", 450, "*slow*", Seconds(600)}};
  return config;
}

SmtpReply reply(int code, std::string text) {
  return {code, "", {std::move(text)}};
}

DeliveryReport report(RecipientOutcome::Kind kind, DeliveryStage stage) {
  DeliveryReport result;
  result.recipients.resize(1);
  result.recipients[0].kind = kind;
  result.recipients[0].stage = stage;
  return result;
}

/// A desk on a real store.
class Bench {
 public:
  explicit Bench(Config its_config = config())
      : config_(std::move(its_config)), store_(std::move(*SqliteQueueStore::open(directory_.path())), {}) {
    restart();
  }
  ~Bench() { store_.stop(); }

  std::shared_ptr<EgressAttempt> begin(std::uint64_t id = 7) {
    return desk_->begin(QueueId(id), "shop", *DomainName::parse("receiver.example"),
                        std::make_shared<ProviderConnections>(1), [] { return kNow; });
  }

  /// Writes down what changed, and begins anew with what was written. No attempt may be under way.
  void restart() {
    if (desk_) desk_->write_down();
    auto next = std::make_unique<EgressDesk>(config_, store_, log_);
    std::promise<Result<void>> done;
    store_.run([&next](SqliteQueueStore& store) { return next->load(store, kNow); },
               [&done](const Result<void>& result) { done.set_value(result); });
    REQUIRE(done.get_future().get());
    desk_ = std::move(next);
  }

 private:
  TemporaryDirectory directory_;
  Config config_;
  EventLog log_{EventLog::Format::Text, Severity::Error, STDERR_FILENO, [] { return WallTime{}; }};
  StoreThread store_;
  std::unique_ptr<EgressDesk> desk_;
};

}  // namespace

TEST_CASE("an attempt goes from its source, and what it delivered counts over a restart") {
  Bench bench;
  auto attempt = bench.begin();
  const auto choice = attempt->choose(kMx, kHost);
  REQUIRE(choice.end);
  CHECK(choice.end->source == "a");
  CHECK(choice.end->helo_name == "a.relay.example");
  CHECK(choice.end->binds_always);
  attempt->finish(report(RecipientOutcome::Kind::Delivered, DeliveryStage::None));
  attempt.reset();
  bench.restart();
  attempt = bench.begin();
  const auto refused = attempt->choose("mx2.mail.example", kHost);
  CHECK_FALSE(refused.end);
  CHECK(refused.until == kMidnight + std::chrono::days(1));
  CHECK(attempt->choose("mx.other.example", kHost).end);
}

TEST_CASE("what did not come as far as MAIL is not counted, also when nobody tells how it ended") {
  Bench bench;
  auto attempt = bench.begin();
  REQUIRE(attempt->choose(kMx, kHost).end);
  CHECK_FALSE(bench.begin()->choose(kMx, kHost).end);
  SECTION("it failed to connect") {
    attempt->finish(report(RecipientOutcome::Kind::Deferred, DeliveryStage::Connect));
  }
  SECTION("it was cut") {
    attempt.reset();
  }
  CHECK(bench.begin()->choose(kMx, kHost).end);
}

TEST_CASE("a refused transaction is counted, and one that a rule names makes the source rest") {
  Bench bench;
  auto attempt = bench.begin();
  REQUIRE(attempt->choose(kMx, kHost).end);
  CHECK_FALSE(attempt->on_refused(kMx, reply(450, "greylisted"), DeliveryStage::Rcpt));
  attempt->finish(report(RecipientOutcome::Kind::Deferred, DeliveryStage::Rcpt));
  CHECK(bench.begin()->choose(kMx, kHost).until == kMidnight + std::chrono::days(1));
  attempt = bench.begin();
  REQUIRE(attempt->choose("mx.other.example", kHost).end);
  CHECK_FALSE(attempt->on_refused("mx.other.example", reply(450, "go slow"), DeliveryStage::Greeting));
  Config without_warm_up = config();
  without_warm_up.egress_sources[0].warm_up_per_day.clear();
  Bench other(std::move(without_warm_up));
  auto paused = other.begin();
  REQUIRE(paused->choose(kMx, kHost).end);
  CHECK(paused->on_refused(kMx, reply(450, "go slow"), DeliveryStage::Greeting) == kNow + Seconds(600));
  paused.reset();
  other.restart();
  CHECK(other.begin()->choose(kMx, kHost).until == kNow + Seconds(600));
}

TEST_CASE("a source whose address this host lacks rests, and nobody counts it as sent") {
  Config two = config();
  two.egress_sources.push_back({"b", {*IpAddress::parse("192.0.2.2")}, {}, "b.relay.example", {}, {}});
  Bench bench(two);
  const auto attempt = bench.begin();
  const auto first = attempt->choose(kMx, kHost);
  REQUIRE(first.end);
  CHECK(attempt->on_unusable("no such address") == kNow);
  const auto second = attempt->choose(kMx, kHost);
  REQUIRE(second.end);
  CHECK(second.end->source != first.end->source);
  CHECK(attempt->on_unusable("no such address") == kNow + kMissingAddressRest);
  CHECK_FALSE(attempt->choose("mx.other.example", kHost).end);
}

TEST_CASE("without sources everything goes as it did: one end, whatever the family of the host") {
  Config plain;
  plain.hostname = "relay.example";
  plain.source_addresses = {*IpAddress::parse("192.0.2.1")};
  Bench bench(plain);
  const std::vector<IpAddress> host = {*IpAddress::parse("2001:db8::80")};
  const auto choice = bench.begin()->choose(kMx, host);
  REQUIRE(choice.end);
  CHECK(choice.end->helo_name == "relay.example");
  CHECK(choice.end->reaches(host[0]));
  const auto attempt = bench.begin();
  REQUIRE(attempt->choose(kMx, host).end);
  CHECK_FALSE(attempt->on_unusable("no such address"));
}

}  // namespace waxwing
