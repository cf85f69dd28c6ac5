#include "relay/store/sqlite_queue_store.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "relay/store/queue_reader.h"
#include "relay/store/spool_file.h"
#include "relay/store/tls_result_store.h"
#include "tests/relay/store/failing_disk.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;

namespace {

std::unique_ptr<SqliteQueueStore> open_store(const TemporaryDirectory& directory) {
  auto store = SqliteQueueStore::open(directory.path());
  INFO((store ? std::string() : store.error().detail));
  REQUIRE(store);
  return std::move(*store);
}

void require(const Result<void>& result) {
  INFO((result ? std::string() : result.error().detail));
  REQUIRE(result);
}

// Runs one change as a batch of its own.
template <class Change>
void commit(SqliteQueueStore& store, const Change& change) {
  require(store.begin());
  change();
  require(store.commit());
}

void add(SqliteQueueStore& store, const QueuedMessage& message) {
  commit(store, [&] { require(store.add(message)); });
}

// A message whose body is in a sealed spool file.
QueuedMessage spooled_message(const std::string& directory, std::uint64_t id, const std::string& body) {
  auto file = SpoolFile::create(directory, QueueId(id));
  REQUIRE(file);
  require(file->append(body));
  require(file->seal());
  file->keep();
  QueuedMessage message = test_message(id);
  message.body.clear();
  message.spooled = true;
  message.body_octets = body.size();
  return message;
}

void execute(const TemporaryDirectory& directory, const std::string& sql) {
  SQLite::Database database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE, 1'000);
  database.exec(sql);
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

std::vector<std::uint64_t> ids_of(const std::vector<QueuedMessage>& messages) {
  std::vector<std::uint64_t> ids;
  for (const QueuedMessage& message : messages) ids.push_back(message.id.value());
  return ids;
}

}  // namespace

TEST_CASE("a message comes back from the store as it was added") {
  const TemporaryDirectory directory;
  QueuedMessage message = test_message(7, {"a@far.example", "\"b c\"@far.example", "x@other.example"});
  message.needs_8bit = true;
  message.needs_smtputf8 = true;
  message.tls_request = TlsRequest::Required;
  message.notice = {ReturnedContent::Headers, "QQ+2B1"};
  message.recipients[0].notice = {NotifyWish{true, false, true}, "rfc822;x@far.example"};
  message.header = std::string("X: \0\xff\r\n", 7);
  message.body = std::string("a\0b\r\n", 5);
  message.body_octets = 5;
  message.recipients[1].state = RecipientState::Deferred;
  message.recipients[1].attempts = 3;
  message.recipients[1].status = "4.4.1";
  message.recipients[1].reason = "why";
  message.recipients[1].report = "{}";
  add(*open_store(directory), message);
  auto store = open_store(directory);
  const auto loaded = store->load(QueueId(7));
  REQUIRE(loaded);
  CHECK(loaded->accepted == message.accepted);
  CHECK(loaded->expires == message.expires);
  CHECK(loaded->account == message.account);
  CHECK(loaded->tenant == message.tenant);
  CHECK(loaded->reverse_path == message.reverse_path);
  CHECK(loaded->message_id == message.message_id);
  CHECK(loaded->needs_8bit);
  CHECK(loaded->needs_smtputf8);
  CHECK(loaded->tls_request == TlsRequest::Required);
  CHECK(loaded->notice == MessageNotice{ReturnedContent::Headers, "QQ+2B1"});
  CHECK(loaded->recipients[0].notice == RecipientNotice{NotifyWish{true, false, true}, "rfc822;x@far.example"});
  CHECK_FALSE(loaded->recipients[0].delay_told);
  CHECK_FALSE(loaded->spooled);
  CHECK(loaded->header == message.header);
  CHECK(loaded->body == message.body);
  REQUIRE(loaded->recipients.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(loaded->recipients[i].ordinal == i);
    CHECK(loaded->recipients[i].address == message.recipients[i].address);
    CHECK(loaded->recipients[i].state == message.recipients[i].state);
    CHECK(loaded->recipients[i].attempts == message.recipients[i].attempts);
    CHECK(loaded->recipients[i].next_attempt == message.recipients[i].next_attempt);
    CHECK(loaded->recipients[i].status == message.recipients[i].status);
    CHECK(loaded->recipients[i].reason == message.recipients[i].reason);
    CHECK(loaded->recipients[i].report == message.recipients[i].report);
  }
}

TEST_CASE("a null reverse-path and an empty body are kept apart from absent ones") {
  const TemporaryDirectory directory;
  QueuedMessage message = test_message(1);
  message.reverse_path.reset();
  message.body.clear();
  message.body_octets = 0;
  auto store = open_store(directory);
  add(*store, message);
  const auto loaded = store->load(QueueId(1));
  REQUIRE(loaded);
  CHECK_FALSE(loaded->reverse_path);
  CHECK(loaded->body.empty());
}

TEST_CASE("a message that is not there is not found") {
  const TemporaryDirectory directory;
  CHECK(open_store(directory)->load(QueueId(1)).error().kind == ErrorKind::NotFound);
}

TEST_CASE("adding a message again changes nothing") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1, {"a@far.example", "b@far.example"}));
  commit(*store, [&] { require(store->update(test_update(1, 0, RecipientState::Delivered))); });
  add(*store, test_message(1, {"c@far.example"}));
  const auto loaded = store->load(QueueId(1));
  REQUIRE(loaded);
  CHECK(loaded->recipients.size() == 2);
  CHECK(loaded->recipients[0].state == RecipientState::Delivered);
}

TEST_CASE("messages outside the limits are refused without harm to the batch") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  std::vector<QueuedMessage> bad(7, test_message(2));
  bad[0].recipients.clear();
  bad[1].header = std::string((4U << 20) + 1, 'x');
  bad[2].body = std::string(kMaxInlineBodyOctets + 1, 'x');
  bad[2].body_octets = bad[2].body.size();
  bad[3].body_octets = 1;
  bad[4].id = QueueId(1ULL << 63);
  bad[5].message_id = std::string(10'000, 'x');
  bad[6].spooled = true;
  commit(*store, [&] {
    require(store->add(test_message(1)));
    for (const QueuedMessage& message : bad) CHECK(store->add(message).error().kind == ErrorKind::Malformed);
  });
  CHECK(store->message_count() == 1);
}

TEST_CASE("what was not committed is not there after the store was opened anew") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1));
  require(store->begin());
  require(store->add(test_message(2)));
  require(store->reopen());
  CHECK(store->load(QueueId(1)));
  CHECK(store->load(QueueId(2)).error().kind == ErrorKind::NotFound);
}

TEST_CASE("an update records an outcome, and a waiting state never replaces a final one") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1, {"a@far.example", "b@far.example"}));
  RecipientUpdate update = test_update(1, 1, RecipientState::Bounced);
  update.attempts = 4;
  update.status = "5.1.1";
  update.report = "{\"peer\":1}";
  commit(*store, [&] {
    require(store->update(update));
    require(store->update(test_update(1, 1, RecipientState::Deferred)));
  });
  const auto loaded = store->load(QueueId(1));
  REQUIRE(loaded);
  CHECK(loaded->recipients[0].state == RecipientState::Queued);
  CHECK(loaded->recipients[1].state == RecipientState::Bounced);
  CHECK(loaded->recipients[1].attempts == 4);
  CHECK(loaded->recipients[1].status == "5.1.1");
  CHECK(loaded->recipients[1].reason == "as the test says");
  CHECK(loaded->recipients[1].report == "{\"peer\":1}");
}

TEST_CASE("an update for nobody is not found") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1));
  CHECK(store->update(test_update(1, 1, RecipientState::Delivered)).error().kind == ErrorKind::NotFound);
  CHECK(store->update(test_update(2, 0, RecipientState::Delivered)).error().kind == ErrorKind::NotFound);
}

TEST_CASE("an outcome is recorded although its explanation is too long") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1));
  RecipientUpdate update = test_update(1, 0, RecipientState::Delivered);
  update.status = update.reason = update.report = std::string(1'000'000, 'x');
  commit(*store, [&] { require(store->update(update)); });
  const auto loaded = store->load(QueueId(1));
  REQUIRE(loaded);
  CHECK(loaded->recipients[0].state == RecipientState::Delivered);
  CHECK(loaded->recipients[0].reason.size() == 4'096);
  CHECK(loaded->recipients[0].report.empty());
}

TEST_CASE("a message for which somebody waits cannot be removed") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1, {"a@far.example", "b@far.example"}));
  commit(*store, [&] { require(store->update(test_update(1, 0, RecipientState::Delivered))); });
  CHECK(store->remove(QueueId(1)).error().kind == ErrorKind::Conflict);
  commit(*store, [&] {
    require(store->update(test_update(1, 1, RecipientState::Expired)));
    require(store->remove(QueueId(1)));
    require(store->remove(QueueId(1)));
  });
  CHECK(store->message_count() == 0);
}

TEST_CASE("a spooled body is in the store only when its file is, and goes with the message after the commit") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  const QueuedMessage message = spooled_message(directory.path(), 5, "large body");
  add(*store, message);
  const auto loaded = store->load(QueueId(5));
  REQUIRE(loaded);
  CHECK(loaded->spooled);
  CHECK(loaded->body_octets == 10);

  QueuedMessage without_file = message;
  without_file.id = QueueId(6);
  CHECK(store->add(without_file).error().kind == ErrorKind::NotFound);
  QueuedMessage wrong_length = spooled_message(directory.path(), 8, "short");
  wrong_length.body_octets = 99;
  CHECK(store->add(wrong_length).error().kind == ErrorKind::Corrupt);

  const std::string path = spool_path(directory.path(), QueueId(5));
  require(store->begin());
  require(store->update(test_update(5, 0, RecipientState::Delivered)));
  require(store->remove(QueueId(5)));
  CHECK(std::filesystem::exists(path));
  require(store->reopen());
  CHECK(std::filesystem::exists(path));
  commit(*store, [&] {
    require(store->update(test_update(5, 0, RecipientState::Delivered)));
    require(store->remove(QueueId(5)));
  });
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("spool files without a message are removed at the start, others stay") {
  const TemporaryDirectory directory;
  {
    auto store = open_store(directory);
    add(*store, spooled_message(directory.path(), 5, "owned"));
    (void)spooled_message(directory.path(), 6, "orphan");
    std::ofstream(spool_path(directory.path(), QueueId(5)) + ".part") << "left by a crash";
    std::ofstream(directory.path() + "/spool/notes") << "of the operator";
  }
  auto store = open_store(directory);
  CHECK(std::filesystem::exists(spool_path(directory.path(), QueueId(5))));
  CHECK_FALSE(std::filesystem::exists(spool_path(directory.path(), QueueId(6))));
  CHECK_FALSE(std::filesystem::exists(spool_path(directory.path(), QueueId(5)) + ".part"));
  CHECK(std::filesystem::exists(directory.path() + "/spool/notes"));
}

TEST_CASE("recipients that wait are listed by message and ordinal, with what a start needs to know of them") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  QueuedMessage message = test_message(1, {"a@far.example", "b@far.example", "c@far.example", "d@other.example"});
  message.recipients[0].next_attempt = kNow + Seconds{30};
  message.recipients[1].state = RecipientState::Held;
  message.recipients[2].state = RecipientState::Delivered;
  message.recipients[3].state = RecipientState::Deferred;
  message.recipients[3].next_attempt = kNow + Seconds{10};
  message.recipients[3].attempts = 2;
  add(*store, message);
  add(*store, test_message(2));
  std::vector<WaitingRecipient> waiting;
  require(store->each_waiting([&](const WaitingRecipient& recipient) { waiting.push_back(recipient); }));
  REQUIRE(waiting.size() == 3);
  CHECK(waiting[0].ordinal == 0);
  CHECK(waiting[0].next_attempt == kNow + Seconds{30});
  CHECK(waiting[1].domain == "other.example");
  CHECK(waiting[1].ordinal == 3);
  CHECK(waiting[1].attempts == 2);
  CHECK(waiting[1].next_attempt == kNow + Seconds{10});
  CHECK(waiting[1].expires == message.expires);
  CHECK(waiting[1].tenant == "tenant");
  CHECK(waiting[2].message == QueueId(2));
}

TEST_CASE("the queue is listed oldest first, and filtered by id, account and domain") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  QueuedMessage other = test_message(1, {"a@far.example", "b@other.example"});
  other.account = "other";
  commit(*store, [&] {
    require(store->add(test_message(3)));
    require(store->add(other));
    require(store->add(test_message(2)));
  });
  const auto listed = [&](const QueueFilter& filter) { return ids_of(store->list(filter).value()); };
  CHECK(listed({}) == std::vector<std::uint64_t>{1, 2, 3});
  QueueFilter filter;
  filter.limit = 2;
  CHECK(listed(filter) == std::vector<std::uint64_t>{1, 2});
  filter.account = "shop";
  CHECK(listed(filter) == std::vector<std::uint64_t>{2, 3});
  filter.domain = "other.example";
  CHECK(listed(filter).empty());
  filter.account.clear();
  CHECK(listed(filter) == std::vector<std::uint64_t>{1});
  filter = {};
  filter.after = QueueId(1);
  CHECK(listed(filter) == std::vector<std::uint64_t>{2, 3});
  filter.id = QueueId(1);
  CHECK(listed(filter).empty());
  filter = {};
  filter.id = QueueId(2);
  const auto one = store->list(filter).value();
  CHECK(ids_of(one) == std::vector<std::uint64_t>{2});
  CHECK(one[0].header.empty());
  CHECK(one[0].recipients.size() == 1);
}

TEST_CASE("a change that fails apart is undone alone") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  commit(*store, [&] {
    require(store->apart([&] { return store->add(test_message(1)); }));
    const auto failed = store->apart([&]() -> Result<void> {
      require(store->add(test_message(2)));
      return fail(ErrorKind::Denied, "no");
    });
    CHECK(failed.error().kind == ErrorKind::Denied);
    QueuedMessage twice = test_message(3, {"a@far.example", "b@far.example"});
    twice.recipients[1].ordinal = 0;
    CHECK(store->apart([&] { return store->add(twice); }).error().kind == ErrorKind::Conflict);
    require(store->apart([&] { return store->add(test_message(4)); }));
  });
  CHECK_FALSE(store->needs_reopen());
  CHECK(ids_of(store->list({}).value()) == std::vector<std::uint64_t>{1, 4});
}

TEST_CASE("a discarded message is gone with its body, whatever its state") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, spooled_message(directory.path(), 5, "body"));
  commit(*store, [&] { require(store->discard(QueueId(5))); });
  CHECK(store->message_count() == 0);
  CHECK_FALSE(std::filesystem::exists(spool_path(directory.path(), QueueId(5))));
}

TEST_CASE("state is readable by its owner alone") {
  const TemporaryDirectory parent;
  const std::string path = parent.path() + "/state";
  auto store = SqliteQueueStore::open(path);
  REQUIRE(store);
  add(**store, test_message(1));
  CHECK(mode_of(path) == 0700);
  CHECK(mode_of(path + "/spool") == 0700);
  CHECK(mode_of(path + "/queue.db") == 0600);
  CHECK(mode_of(path + "/queue.db-wal") == 0600);
  CHECK(mode_of(path + "/lock") == 0600);
}

TEST_CASE("a second process is told who has the store") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  const auto second = SqliteQueueStore::open(directory.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::Conflict);
  CHECK(second.error().detail.find("process " + std::to_string(::getpid())) != std::string::npos);
  store.reset();
  CHECK(SqliteQueueStore::open(directory.path()));
}

TEST_CASE("each commit syncs the log, and nothing is acknowledged with less") {
  const TemporaryDirectory directory;
  FailingDisk disk;
  auto store = open_store(directory);
  for (std::uint64_t id = 1; id <= 5; ++id) {
    const int before = disk.syncs;
    add(*store, test_message(id));
    CHECK(disk.syncs > before);
  }
  const int before = disk.syncs;
  commit(*store, [&] {
    for (std::uint64_t id = 100; id < 200; ++id) require(store->add(test_message(id)));
  });
  CHECK(disk.syncs == before + 1);
}

TEST_CASE("a full disk is Exhausted, and after it is opened anew the store works on") {
  const TemporaryDirectory directory;
  FailingDisk disk;
  auto store = open_store(directory);
  add(*store, test_message(1));
  disk.write_result = SQLITE_FULL;
  require(store->begin());
  const auto added = store->add(test_message(2));
  const auto failed = added ? store->commit() : added;
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::Exhausted);
  CHECK(store->needs_reopen());
  disk.write_result = SQLITE_OK;
  require(store->reopen());
  CHECK_FALSE(store->needs_reopen());
  add(*store, test_message(3));
  CHECK(ids_of(store->list({}).value()) == std::vector<std::uint64_t>{1, 3});
}

TEST_CASE("a failed sync fails the commit, and what was committed before is still there") {
  const TemporaryDirectory directory;
  FailingDisk disk;
  auto store = open_store(directory);
  add(*store, test_message(1));
  require(store->begin());
  require(store->add(test_message(2)));
  disk.sync_result = SQLITE_IOERR_FSYNC;
  const auto committed = store->commit();
  REQUIRE_FALSE(committed);
  CHECK(committed.error().kind == ErrorKind::Unavailable);
  CHECK_FALSE(store->reopen());
  CHECK_FALSE(store->begin());
  CHECK(store->load(QueueId(1)).error().kind == ErrorKind::Unavailable);
  disk.sync_result = SQLITE_OK;
  require(store->reopen());
  CHECK(store->load(QueueId(1)));
}

TEST_CASE("nothing that was acknowledged is lost when the process is killed") {
  const TemporaryDirectory directory;
  int acknowledged[2];
  REQUIRE(::pipe(acknowledged) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto store = SqliteQueueStore::open(directory.path());
    for (std::uint64_t id = 1; store; ++id) {
      if (!(*store)->begin() || !(*store)->add(test_message(id)) || !(*store)->commit()) break;
      if (::write(acknowledged[1], &id, sizeof id) != sizeof id) break;
    }
    ::_exit(1);
  }
  ::close(acknowledged[1]);
  std::uint64_t last = 0;
  std::uint64_t id = 0;
  while (::read(acknowledged[0], &id, sizeof id) == sizeof id) {
    last = id;
    if (id == 100) ::kill(child, SIGKILL);
  }
  ::close(acknowledged[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(last >= 100);
  auto store = open_store(directory);
  for (id = 1; id <= last; ++id) REQUIRE(store->load(QueueId(id)));
  CHECK(store->message_count().value() <= last + 1);
}

TEST_CASE("what a sender wants to be told is kept apart from nothing at all") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  QueuedMessage message = test_message(1, {"a@far.example", "b@far.example"});
  message.recipients[0].notice.notify = NotifyWish{};
  add(*store, message);
  RecipientUpdate update = test_update(1, 1, RecipientState::Deferred);
  update.delay_told = true;
  commit(*store, [&] { require(store->update(update)); });
  update.delay_told = false;
  commit(*store, [&] { require(store->update(update)); });
  const auto loaded = store->load(QueueId(1));
  REQUIRE(loaded);
  CHECK(loaded->recipients[0].notice.notify == NotifyWish{});
  CHECK_FALSE(loaded->recipients[1].notice.notify);
  CHECK(loaded->recipients[1].delay_told);
}

TEST_CASE("what a sender asks about time comes back, and the scheduler is told not to be early") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  QueuedMessage message = test_message(1);
  message.release_request = "for;3600";
  message.deliver_by = DeliverBy{kNow + Seconds{7'200}, ByMode::Return, true};
  message.recipients[0].not_before = kNow + Seconds{3'600};
  add(*store, message);
  add(*store, test_message(2));
  const auto loaded = store->load(QueueId(1));
  REQUIRE(loaded);
  CHECK(loaded->release_request == message.release_request);
  CHECK(loaded->deliver_by == message.deliver_by);
  CHECK_FALSE(store->load(QueueId(2))->deliver_by);
  require(store->each_waiting([&](const WaitingRecipient& recipient) {
    CHECK(recipient.not_before == (recipient.message == QueueId(1) ? kNow + Seconds{3'600} : WallTime()));
  }));
}

TEST_CASE("a request about time that cannot be read is damage") {
  const TemporaryDirectory directory;
  add(*open_store(directory), test_message(1));
  const char* change = GENERATE("UPDATE messages SET release_request='for;1' || char(13)",
                                "UPDATE messages SET deliver_by=-1", "UPDATE messages SET by_mode=2");
  execute(directory, change);
  CHECK(open_store(directory)->load(QueueId(1)).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("a request about reports that cannot be read is damage") {
  const TemporaryDirectory directory;
  add(*open_store(directory), test_message(1));
  const char* change = GENERATE("UPDATE recipients SET notify=7", "UPDATE messages SET envelope_id='a' || char(13)",
                                "UPDATE recipients SET original_recipient='rfc822;a' || char(10)");
  execute(directory, change);
  CHECK(open_store(directory)->load(QueueId(1)).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("a released message has its new end and is to be sealed anew") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1));
  commit(*store, [&] { require(store->renew(QueueId(1), kNow + Seconds{9})); });
  const auto message = store->load(QueueId(1));
  REQUIRE(message);
  CHECK(message->expires == kNow + Seconds{9});
  CHECK(message->sealing == Sealing::Due);
  CHECK(store->renew(QueueId(2), kNow).error().kind == ErrorKind::NotFound);
  QueuedMessage forwarded = test_message(3);
  forwarded.sealing = Sealing::Elsewhere;
  add(*store, forwarded);
  commit(*store, [&] { require(store->renew(QueueId(3), kNow)); });
  CHECK(store->load(QueueId(3))->sealing == Sealing::Elsewhere);
}

TEST_CASE("a held recipient stays held when an attempt that was under way ends deferred") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1));
  RecipientUpdate held = test_update(1, 0, RecipientState::Held);
  held.reason = "asked for by the customer";
  held.next_attempt = kNow;
  RecipientUpdate deferred = test_update(1, 0, RecipientState::Deferred);
  deferred.reason = "the host did not answer";
  deferred.attempts = 2;
  commit(*store, [&] {
    require(store->update(held));
    require(store->update(deferred));
  });
  const QueuedRecipient after = store->load(QueueId(1))->recipients[0];
  CHECK(after.state == RecipientState::Held);
  CHECK(after.reason == "asked for by the customer");
  CHECK(after.next_attempt == kNow);
  CHECK(after.attempts == 2);
  commit(*store, [&] { require(store->update(test_update(1, 0, RecipientState::Delivered))); });
  CHECK(store->load(QueueId(1))->recipients[0].state == RecipientState::Delivered);
}

TEST_CASE("a database that has lost its content is never taken for an empty queue") {
  const TemporaryDirectory directory;
  add(*open_store(directory), test_message(1));
  SECTION("file removed") {
    std::filesystem::remove(directory.path() + "/queue.db");
  }
  SECTION("file emptied") {
    std::filesystem::resize_file(directory.path() + "/queue.db", 0);
  }
  SECTION("file cut") {
    std::filesystem::resize_file(directory.path() + "/queue.db", 5'000);
  }
  SECTION("other content") {
    std::ofstream(directory.path() + "/queue.db") << std::string(20'000, 'x');
  }
  SECTION("a page overwritten") {
    std::fstream file(directory.path() + "/queue.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4'096 * 2);
    file << std::string(8'192, 'x');
  }
  SECTION("a table dropped") {
    execute(directory, "DROP TABLE recipients");
  }
  const auto store = SqliteQueueStore::open(directory.path());
  if (store) {
    CHECK((*store)->load(QueueId(1)).error().kind != ErrorKind::NotFound);
  } else {
    CHECK(store.error().kind == ErrorKind::Corrupt);
    CHECK(store.error().detail.size() > 20);
  }
}

TEST_CASE("a row with a value that nobody wrote is Corrupt and named, and harms no other row") {
  const TemporaryDirectory directory;
  add(*open_store(directory), test_message(1));
  add(*open_store(directory), test_message(2));
  const std::string sql = GENERATE(
      "UPDATE messages SET accepted=-1 WHERE id=1", "UPDATE messages SET expires=9223372036854775807 WHERE id=1",
      "UPDATE messages SET reverse_path='no address' WHERE id=1", "UPDATE messages SET needs_8bit=2 WHERE id=1",
      "UPDATE messages SET spooled=1 WHERE id=1", "UPDATE messages SET body=NULL WHERE id=1",
      "UPDATE messages SET body=zeroblob(100000), body_octets=100000 WHERE id=1",
      "UPDATE messages SET body_octets=3 WHERE id=1", "UPDATE messages SET body_octets=-3 WHERE id=1",
      "UPDATE messages SET header=zeroblob(5000000) WHERE id=1",
      "UPDATE messages SET account=CAST(zeroblob(70000) AS TEXT) WHERE id=1", "DELETE FROM recipients WHERE message=1",
      "UPDATE recipients SET address='x' WHERE message=1", "UPDATE recipients SET state=7 WHERE message=1",
      "UPDATE recipients SET state=-1 WHERE message=1", "UPDATE recipients SET attempts=-1 WHERE message=1",
      "UPDATE recipients SET ordinal=4294967296 WHERE message=1",
      "UPDATE recipients SET next_attempt=-5 WHERE message=1",
      "UPDATE recipients SET reason=CAST(zeroblob(5000) AS TEXT) WHERE message=1");
  CAPTURE(sql);
  execute(directory, sql);
  auto store = open_store(directory);
  const auto damaged = store->load(QueueId(1));
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().kind == ErrorKind::Corrupt);
  CHECK(damaged.error().detail.find(QueueId(1).str()) != std::string::npos);
  CHECK_FALSE(store->needs_reopen());
  CHECK(store->load(QueueId(2)));
}

TEST_CASE("a reader sees what is committed, and nothing else") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  auto reader = QueueReader::open(directory.path());
  REQUIRE(reader);
  require(store->begin());
  require(store->add(test_message(1)));
  CHECK(reader->load(QueueId(1)).error().kind == ErrorKind::NotFound);
  require(store->commit());
  const auto loaded = reader->load(QueueId(1));
  REQUIRE(loaded);
  CHECK(loaded->body == test_message(1).body);
  require(store->reopen());
  add(*store, test_message(2));
  CHECK(reader->load(QueueId(2)));
}

TEST_CASE("a reader shows an attempt its own recipients, and damage of others is no matter of theirs") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  add(*store, test_message(1, {"a@far.example", "b@other.example", "c@far.example", "d@far.example"}));
  execute(directory, "UPDATE recipients SET state=7 WHERE ordinal=1");
  auto reader = QueueReader::open(directory.path());
  REQUIRE(reader);
  const auto loaded = reader->load(QueueId(1), {0, 2, 9});
  REQUIRE(loaded);
  CHECK(loaded->body == test_message(1).body);
  REQUIRE(loaded->recipients.size() == 2);
  CHECK(loaded->recipients[0].address.str() == "a@far.example");
  CHECK(loaded->recipients[1].ordinal == 2);
  CHECK(reader->load(QueueId(1), {9})->recipients.empty());
  CHECK(reader->load(QueueId(1), {1}).error().kind == ErrorKind::Corrupt);
  CHECK(reader->load(QueueId(1)).error().kind == ErrorKind::Corrupt);
  CHECK(reader->load(QueueId(2), {0}).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a reader of a directory without a store says so") {
  const TemporaryDirectory directory;
  CHECK_FALSE(QueueReader::open(directory.path()));
}

TEST_CASE("the log and the database shrink again after the queue has been emptied") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  QueuedMessage message = test_message(1);
  message.body = std::string(60'000, 'x');
  message.body_octets = message.body.size();
  const auto size = [&](const char* name) { return std::filesystem::file_size(directory.path() + name); };
  const auto change_in_batches = [&](const std::function<void(QueueId)>& change) {
    for (std::uint64_t id = 0; id < 400; ++id) {
      if (id % 50 == 0) require(store->begin());
      change(QueueId(id));
      if (id % 50 != 49) continue;
      require(store->commit());
      require(store->maintain());
      CHECK(size("/queue.db-wal") < 10'000'000);
    }
  };
  const auto add_one = [&](QueueId id) {
    message.id = id;
    require(store->add(message));
  };
  const auto discard_one = [&](QueueId id) { require(store->discard(id)); };
  change_in_batches(add_one);
  require(store->reopen());
  const auto full = size("/queue.db");
  REQUIRE(full > 20'000'000);
  change_in_batches(discard_one);
  for (int i = 0; i < 3; ++i) {
    change_in_batches([&](QueueId id) {
      add_one(id);
      discard_one(id);
    });
    change_in_batches(add_one);
    change_in_batches(discard_one);
  }
  require(store->reopen());
  CHECK(size("/queue.db") <= full * 3 / 4);
}
