#include "relay/store/store_thread.h"

#include <sqlite3.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "relay/store/queue_reader.h"
#include "relay/store/tls_result_store.h"
#include "tests/relay/store/failing_disk.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;

namespace {

std::unique_ptr<SqliteQueueStore> open_store(const TemporaryDirectory& directory) {
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  return std::move(*store);
}

std::shared_ptr<const QueuedMessage> shared(QueuedMessage message) {
  return std::make_shared<const QueuedMessage>(std::move(message));
}

// Waits for the callback of one call.
template <class Value>
class Reply {
 public:
  std::function<void(Result<Value>)> done() {
    return [promise = promise_](Result<Value> result) { promise->set_value(std::move(result)); };
  }
  Result<Value> wait() { return promise_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<Result<Value>>> promise_ = std::make_shared<std::promise<Result<Value>>>();
};

Result<void> add(StoreThread& thread, QueuedMessage message, std::optional<SpoolFile> body = std::nullopt) {
  Reply<void> answer;
  thread.add(shared(std::move(message)), std::move(body), answer.done());
  return answer.wait();
}

Result<std::vector<QueueId>> record(StoreThread& thread, AttemptRecord attempt) {
  Reply<std::vector<QueueId>> answer;
  thread.record(std::move(attempt), answer.done());
  return answer.wait();
}

// Keeps the store thread busy until it is opened, so that what comes meanwhile becomes one batch.
class Gate {
 public:
  explicit Gate(StoreThread& thread) {
    std::promise<void> closed;
    auto is_closed = closed.get_future();
    thread.run(
        [this, &closed](SqliteQueueStore&) -> Result<void> {
          closed.set_value();
          open_.get_future().wait();
          return {};
        },
        [this](Result<void>) { passed_.set_value(); });
    is_closed.wait();
  }
  void open() {
    open_.set_value();
    passed_.get_future().wait();
  }

 private:
  std::promise<void> open_;
  std::promise<void> passed_;
};

std::vector<QueueId> ids_in(const TemporaryDirectory& directory) {
  std::vector<QueueId> ids;
  const auto messages = open_store(directory)->list({});
  REQUIRE(messages);
  for (const QueuedMessage& message : *messages) ids.push_back(message.id);
  return ids;
}

// What on_state was told: details of errors, "" for working again.
struct States {
  std::mutex mutex;
  std::vector<std::string> seen;
  StoreThread::Options options(Milliseconds interval = Milliseconds{5}) {
    return {[this](const std::optional<Error>& error) {
              const std::lock_guard lock(mutex);
              seen.push_back(error ? error->detail : "");
            },
            interval};
  }
};

}  // namespace

TEST_CASE("TLS sessions of an attempt are counted together with its outcome") {
  const TemporaryDirectory directory;
  StoreThread thread(open_store(directory), {});
  REQUIRE(add(thread, test_message(1)));
  AttemptRecord attempt;
  attempt.updates = {{QueueId(1), 0, RecipientState::Delivered, 1, {}, "2.0.0", "taken", "{}"}};
  attempt.tls_results = {
      *DomainName::parse("far.example"), WallTime(Seconds(86'400)), {TlsSessionResult(), TlsSessionResult()}};
  CHECK(record(thread, std::move(attempt))->size() == 1);
  thread.stop();
  const auto days = open_store(directory)->tls_results().list();
  REQUIRE(days);
  REQUIRE(days->size() == 1);
  CHECK(days->front().domain == "far.example");
  CHECK(days->front().successes == 2);
}

TEST_CASE("an added message is durable when it is confirmed") {
  const TemporaryDirectory directory;
  StoreThread thread(open_store(directory), {});
  REQUIRE(add(thread, test_message(1)));
  auto reader = QueueReader::open(directory.path());
  REQUIRE(reader);
  CHECK(reader->load(QueueId(1)));
}

TEST_CASE("what arrives during a commit is committed together, and answered in order") {
  const TemporaryDirectory directory;
  StoreThread thread(open_store(directory), {});
  std::vector<std::uint64_t> answered;
  Gate gate(thread);
  Reply<void> last;
  for (std::uint64_t id = 1; id <= 100; ++id) {
    thread.add(shared(test_message(id)), std::nullopt, [&answered, id, done = last.done()](Result<void> result) {
      answered.push_back(result ? id : 0);
      if (id == 100) done({});
    });
  }
  gate.open();
  REQUIRE(last.wait());
  CHECK(thread.commits() == 2);
  REQUIRE(answered.size() == 100);
  CHECK(answered.front() == 1);
  CHECK(answered.back() == 100);
}

TEST_CASE("a message that is refused does not harm the others of its batch") {
  const TemporaryDirectory directory;
  {
    StoreThread thread(open_store(directory), {});
    QueuedMessage bad = test_message(2, {"a@far.example", "b@far.example"});
    bad.recipients[1].ordinal = 0;
    Gate gate(thread);
    Reply<void> first;
    Reply<void> second;
    Reply<void> third;
    thread.add(shared(test_message(1)), std::nullopt, first.done());
    thread.add(shared(bad), std::nullopt, second.done());
    thread.add(shared(test_message(3)), std::nullopt, third.done());
    gate.open();
    CHECK(first.wait());
    CHECK(second.wait().error().kind == ErrorKind::Conflict);
    CHECK(third.wait());
    CHECK(thread.available());
  }
  CHECK(ids_in(directory) == std::vector<QueueId>{QueueId(1), QueueId(3)});
}

TEST_CASE("a spooled body is sealed before its message is confirmed, and removed when the message is refused") {
  const TemporaryDirectory directory;
  StoreThread thread(open_store(directory), {});
  const auto spooled = [&](std::uint64_t id, std::uint64_t octets) {
    auto file = SpoolFile::create(directory.path(), QueueId(id));
    REQUIRE(file);
    REQUIRE(file->append("twelve octet"));
    QueuedMessage message = test_message(id);
    message.body.clear();
    message.spooled = true;
    message.body_octets = octets;
    return add(thread, message, std::move(*file));
  };
  REQUIRE(spooled(1, 12));
  CHECK(SpoolReader::open(directory.path(), QueueId(1), 12));
  CHECK_FALSE(spooled(2, 13));
  // The answer comes first, and then the file goes.
  for (int i = 0; i < 5'000 && std::filesystem::exists(spool_path(directory.path(), QueueId(2))); ++i) {
    std::this_thread::sleep_for(Milliseconds(1));
  }
  CHECK_FALSE(std::filesystem::exists(spool_path(directory.path(), QueueId(2))));
}

TEST_CASE("a message leaves the queue with the outcome of its last recipient, and its report comes in with it") {
  const TemporaryDirectory directory;
  {
    StoreThread thread(open_store(directory), {});
    REQUIRE(add(thread, test_message(1, {"a@far.example", "b@far.example"})));
    auto removed = record(thread, {{test_update(1, 0, RecipientState::Delivered)}, {}});
    REQUIRE(removed);
    CHECK(removed->empty());
    removed = record(thread, {{test_update(1, 1, RecipientState::Bounced)}, {test_message(2)}});
    REQUIRE(removed);
    CHECK(*removed == std::vector<QueueId>{QueueId(1)});
    // Both recipients again, as after a drop by the operator.
    removed = record(thread,
                     {{test_update(1, 0, RecipientState::Deferred), test_update(1, 1, RecipientState::Delivered)}, {}});
    REQUIRE(removed);
    CHECK(removed->empty());
  }
  CHECK(ids_in(directory) == std::vector<QueueId>{QueueId(2)});
}

TEST_CASE("a record whose report cannot be stored is refused as a whole") {
  const TemporaryDirectory directory;
  {
    StoreThread thread(open_store(directory), {});
    REQUIRE(add(thread, test_message(1)));
    QueuedMessage report = test_message(2);
    report.recipients.clear();
    CHECK_FALSE(record(thread, {{test_update(1, 0, RecipientState::Bounced)}, {report}}));
  }
  CHECK(ids_in(directory) == std::vector<QueueId>{QueueId(1)});
}

TEST_CASE("work that fails is undone, work that succeeds is durable when it is confirmed") {
  const TemporaryDirectory directory;
  {
    StoreThread thread(open_store(directory), {});
    Reply<void> failed;
    thread.run(
        [](SqliteQueueStore& store) -> Result<void> {
          if (auto added = store.add(test_message(1)); !added) return added;
          return fail(ErrorKind::Denied, "not allowed");
        },
        failed.done());
    CHECK(failed.wait().error().kind == ErrorKind::Denied);
    Reply<void> done;
    thread.run([](SqliteQueueStore& store) { return store.add(test_message(2)); }, done.done());
    CHECK(done.wait());
  }
  CHECK(ids_in(directory) == std::vector<QueueId>{QueueId(2)});
}

TEST_CASE("many threads add and record at the same time, and nothing is lost") {
  const TemporaryDirectory directory;
  {
    StoreThread thread(open_store(directory), {});
    std::atomic<int> confirmed{0};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&thread, &confirmed, t] {
        for (std::uint64_t i = 1; i <= 50; ++i) {
          const std::uint64_t id = t * 1'000 + i;
          thread.add(shared(test_message(id)), std::nullopt, [&thread, &confirmed, id](const Result<void>& added) {
            if (added && id % 2 == 0)
              thread.record({{test_update(id, 0, RecipientState::Delivered)}, {}}, [](const auto&) {});
            if (added) ++confirmed;
          });
        }
      });
    }
    for (auto& writer : threads) writer.join();
    // A record is asked for in a callback, so that it may come after stop(); a round trip through the thread comes
    // later.
    while (confirmed < 200) std::this_thread::yield();
    REQUIRE(add(thread, test_message(9'999)));
  }
  CHECK(ids_in(directory).size() == 101);
}

TEST_CASE("a failed commit refuses its messages for ever, keeps the outcomes, and the store comes back") {
  const TemporaryDirectory directory;
  States states;
  {
    FailingDisk disk;
    StoreThread thread(open_store(directory), states.options());
    REQUIRE(add(thread, test_message(1, {"a@far.example", "b@far.example"})));
    auto body = SpoolFile::create(directory.path(), QueueId(3));
    REQUIRE(body);
    QueuedMessage spooled = test_message(3);
    spooled.body.clear();
    spooled.spooled = true;
    spooled.body_octets = 0;

    Gate gate(thread);
    Reply<void> added;
    Reply<void> with_body;
    Reply<void> work;
    Reply<std::vector<QueueId>> recorded;
    thread.add(shared(test_message(2)), std::nullopt, added.done());
    thread.add(shared(spooled), std::move(*body), with_body.done());
    thread.record({{test_update(1, 0, RecipientState::Bounced)}, {test_message(4)}}, recorded.done());
    thread.run([](SqliteQueueStore&) -> Result<void> { return {}; }, work.done());
    disk.sync_result = SQLITE_IOERR_FSYNC;
    std::thread opener([&gate] { gate.open(); });
    CHECK(added.wait().error().kind == ErrorKind::Unavailable);
    CHECK(with_body.wait().error().kind == ErrorKind::Unavailable);
    CHECK(work.wait().error().kind == ErrorKind::Unavailable);
    opener.join();
    CHECK_FALSE(thread.available());
    CHECK(add(thread, test_message(6)).error().kind == ErrorKind::Unavailable);

    disk.sync_result = SQLITE_OK;
    const auto removed = recorded.wait();
    REQUIRE(removed);
    CHECK(removed->empty());
    REQUIRE(add(thread, test_message(7)));
    CHECK(thread.available());  // a record is answered before the store is open for all again, an addition after it
    thread.stop();
  }
  CHECK(ids_in(directory) == std::vector<QueueId>{QueueId(1), QueueId(4), QueueId(7)});
  CHECK(open_store(directory)->load(QueueId(1))->recipients[0].state == RecipientState::Bounced);
  CHECK_FALSE(std::filesystem::exists(spool_path(directory.path(), QueueId(3))));
  REQUIRE(states.seen.size() >= 2);
  CHECK_FALSE(states.seen.front().empty());
  CHECK(states.seen.back().empty());
}

TEST_CASE("a full disk is told to the sender, and passes when there is space again") {
  const TemporaryDirectory directory;
  FailingDisk disk;
  StoreThread thread(open_store(directory), {nullptr, Milliseconds{5}});
  disk.write_result = SQLITE_FULL;
  CHECK(add(thread, test_message(1)).error().kind == ErrorKind::Exhausted);
  disk.write_result = SQLITE_OK;
  while (!thread.available()) std::this_thread::yield();
  CHECK(add(thread, test_message(2)));
}

TEST_CASE("stopping commits what has arrived, and later calls are refused") {
  const TemporaryDirectory directory;
  {
    StoreThread thread(open_store(directory), {});
    std::atomic<int> confirmed{0};
    for (std::uint64_t id = 1; id <= 50; ++id) {
      thread.add(shared(test_message(id)), std::nullopt,
                 [&](const Result<void>& added) { confirmed += added ? 1 : 0; });
    }
    thread.stop();
    CHECK(confirmed == 50);
    CHECK(add(thread, test_message(99)).error().kind == ErrorKind::Unavailable);
    CHECK(record(thread, {}).error().kind == ErrorKind::Unavailable);
    thread.stop();
  }
  CHECK(ids_in(directory).size() == 50);
}

TEST_CASE("stopping while the store fails tells the owners of outcomes that they are not recorded") {
  const TemporaryDirectory directory;
  FailingDisk disk;
  StoreThread thread(open_store(directory), {nullptr, Milliseconds{60'000}});
  REQUIRE(add(thread, test_message(1)));
  disk.write_result = SQLITE_IOERR_WRITE;
  CHECK_FALSE(add(thread, test_message(2)));
  Reply<std::vector<QueueId>> recorded;
  thread.record({{test_update(1, 0, RecipientState::Delivered)}, {}}, recorded.done());
  thread.stop();
  CHECK(recorded.wait().error().kind == ErrorKind::Unavailable);
}

TEST_CASE("more submissions than the mailbox holds are answered with Exhausted at once") {
  const TemporaryDirectory directory;
  StoreThread thread(open_store(directory), {});
  Gate gate(thread);
  const auto message = shared(test_message(1));
  for (std::size_t i = 0; i < kMaxPendingAdds; ++i) thread.add(message, std::nullopt, [](const Result<void>&) {});
  CHECK(add(thread, test_message(2)).error().kind == ErrorKind::Exhausted);
  gate.open();
  while (!add(thread, test_message(3))) std::this_thread::yield();
}
