#include "relay/daemon/tls_report_sender.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <future>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relay/store/queue_reader.h"
#include "relay/store/tls_result_store.h"
#include "tests/relay/store/temporary_directory.h"

namespace waxwing {
namespace {

const WallTime kDay = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2));

/// A sender on a real store with two sessions of receiver.example on one day.
class Bench {
 public:
  Bench()
      : store_(std::move(*SqliteQueueStore::open(directory_.path())), {}),
        sender_(loop_, store_, ids_, log_, {"relay.example", "Example Hosting", "desk@relay.example", Seconds(86'400)},
                ports()) {
    in_store([](SqliteQueueStore& store) {
      TlsSessionResult result;
      result.policy.domain = "receiver.example";
      REQUIRE(store.tls_results().add(kDay, domain(), {result, result}));
    });
  }
  ~Bench() { store_.stop(); }

  /// Sends the report and waits until the sender is through with it.
  void send() {
    sender_.send_now(kDay, "receiver.example");
    sender_.send_now(kDay, "sentinel.example");  // one after the other: when it is asked about, the first is done
    Timer watch(loop_, [this, &watch] {
      if (asked.size() == 2) return loop_.stop();
      watch.start(Milliseconds(1));
    });
    watch.start(Milliseconds(1));
    loop_.run();
  }

  std::uint64_t counted() {
    std::uint64_t sum = 0;
    in_store([&sum](SqliteQueueStore& store) {
      const auto tally = store.tls_results().tally(kDay, domain());
      REQUIRE(tally);
      for (const auto& [policy, results] : tally->sums()) sum += results.successes;
    });
    return sum;
  }

  Answer answer;
  bool can_sign = true;
  std::vector<std::string> asked;
  std::vector<QueuedMessage> queued;
  std::vector<std::string> posted;       ///< "host path", in order
  std::set<std::string> broken_servers;  ///< hosts that do not take it
  Result<QueuedMessage> stored(QueueId id) { return QueueReader::open(directory_.path())->load(id); }

 private:
  static DomainName domain() { return *DomainName::parse("receiver.example"); }
  void in_store(const std::function<void(SqliteQueueStore&)>& work) {
    std::promise<void> done;
    store_.run(
        [&work](SqliteQueueStore& store) -> Result<void> {
          work(store);
          return {};
        },
        [&done](const Result<void>&) { done.set_value(); });
    done.get_future().wait();
  }
  TlsReportSender::Ports ports() {
    TlsReportSender::Ports result;
    result.resolve = [this](const Question& question, std::function<void(const Answer&)> on_answer) {
      asked.push_back(question.name);
      if (asked.size() == 1) loop_.post([this, on_answer] { on_answer(answer); });
    };
    result.post = [this](const HttpsUri& to, const std::string& type, const std::string& content,
                         std::function<void(Result<void>)> on_done) {
      CHECK(type == "application/tlsrpt+gzip");
      CHECK(content.starts_with("\x1f\x8b"));
      posted.push_back(to.host + " " + to.path);
      Result<void> taken;
      if (broken_servers.contains(to.host)) taken = fail(ErrorKind::Unavailable, to.host + " answered with status 500");
      loop_.post([on_done, taken] { on_done(taken); });
    };
    result.seal = [this](QueuedMessage message, std::function<void(QueuedMessage)> on_sealed) {
      if (can_sign) message.header = "DKIM-Signature: v=1\r\n" + message.header;
      loop_.post([message = std::move(message), on_sealed] { on_sealed(message); });
    };
    result.enqueue = [this](const QueuedMessage& message) { queued.push_back(message); };
    return result;
  }

  TemporaryDirectory directory_;
  EventLoop loop_;
  QueueIdSource ids_{1};
  EventLog log_{EventLog::Format::Text, Severity::Error, STDERR_FILENO, [] { return WallTime{}; }};
  StoreThread store_;
  TlsReportSender sender_;
};

Answer record(std::string text) {
  Answer answer;
  answer.status = Answer::Status::Insecure;
  answer.name_exists = true;
  answer.records = {TxtRecord{std::move(text)}};
  return answer;
}

TEST_CASE("a report is posted to each server that the domain names, and its results leave the store when one took it") {
  Bench bench;
  bench.answer = record("v=TLSRPTv1; rua=https://one.example/a?b, https://two.example:443,https://three.example:8443/");
  bench.broken_servers = {"one.example"};
  bench.send();
  CHECK(std::set<std::string>(bench.posted.begin(), bench.posted.end()) ==
        std::set<std::string>{"one.example /a?b", "two.example /"});
  CHECK(bench.queued.empty());
  CHECK(bench.counted() == 0);
}

TEST_CASE("results stay in the store while no server takes the report and there is no mail address") {
  Bench bench;
  bench.answer = record("v=TLSRPTv1; rua=https://one.example/a");
  bench.broken_servers = {"one.example"};
  bench.send();
  CHECK(bench.posted.size() == 1);
  CHECK(bench.counted() == 2);
}

TEST_CASE("a report for mail and server goes both ways, and mail alone is enough when the server is broken") {
  Bench bench;
  bench.answer = record("v=TLSRPTv1; rua=https://one.example/a,mailto:reports@receiver.example");
  bench.broken_servers = {"one.example"};
  bench.send();
  CHECK(bench.posted.size() == 1);
  CHECK(bench.queued.size() == 1);
  CHECK(bench.counted() == 0);
}

TEST_CASE("a report goes to each address that the domain names, and its results leave the store with it") {
  Bench bench;
  bench.answer =
      record("v=TLSRPTv1; rua=mailto:reports@receiver.example,https://receiver.example/r,mailto:second@else.example");
  bench.send();
  CHECK(bench.asked[0] == "_smtp._tls.receiver.example");
  REQUIRE(bench.queued.size() == 2);
  std::set<std::string> recipients;
  for (const QueuedMessage& message : bench.queued) {
    const auto stored = bench.stored(message.id);
    REQUIRE(stored);
    CHECK(stored->tls_request == TlsRequest::Optional);
    CHECK_THAT(stored->header, Catch::Contains("TLS-Report-Domain: receiver.example\r\n"));
    recipients.insert(stored->recipients.front().address.str());
  }
  CHECK(recipients == std::set<std::string>{"reports@receiver.example", "second@else.example"});
  CHECK(bench.counted() == 0);
}

TEST_CASE("results of a domain that asks for no report by mail are dropped") {
  Bench bench;
  bench.answer = record(GENERATE(as<std::string>(), "v=spf1 -all", "v=TLSRPTv1; rua=https://receiver.example/r"));
  bench.send();
  CHECK(bench.queued.empty());
  CHECK(bench.counted() == 0);
}

TEST_CASE("results are kept while nobody can tell where the report goes, or while it cannot be signed") {
  Bench bench;
  SECTION("no answer") {
    bench.answer.status = Answer::Status::Failed;
  }
  SECTION("no key") {
    bench.answer = record("v=TLSRPTv1; rua=mailto:reports@receiver.example");
    bench.can_sign = false;
  }
  bench.send();
  CHECK(bench.queued.empty());
  CHECK(bench.counted() == 2);
}

TEST_CASE("reports are due within four hours after their day, each domain at a time of its own") {
  std::set<WallTime> times;
  for (int i = 0; i < 100; ++i) {
    const std::string domain = std::to_string(i) + ".example";
    const WallTime due = tls_report_due(kDay, domain);
    CHECK(due >= kDay + std::chrono::hours(24));
    CHECK(due < kDay + std::chrono::hours(28));
    CHECK(due == tls_report_due(kDay, domain));
    times.insert(due);
  }
  CHECK(times.size() > 90);
}

}  // namespace
}  // namespace waxwing
