// How the tables of an earlier version become those of this one. `versions/N.sql` is what version N left: all its tables
// with rows in each, as `sqlite3 queue.db .dump` writes them, and the line that says the version.
#include "relay/store/schema.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policy/split_mix.h"
#include "relay/store/account_store.h"
#include "relay/store/sqlite_queue_store.h"
#include "relay/store/suppression_store.h"
#include "tests/relay/store/failing_disk.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/simulation/simulated_disk.h"

using namespace waxwing;

namespace {

using Rows = std::vector<std::string>;

std::string dump_of(int version) {
  std::ifstream file(WAXWING_SOURCE_DIR "/tests/relay/store/versions/" + std::to_string(version) + ".sql");
  INFO("versions/" << version << ".sql is missing: dump a queue.db that the version wrote");
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Many messages like the first one, so that a change of a table is more than one page.
constexpr const char* kMore = R"sql(
CREATE TEMP TABLE numbers AS
  WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM count WHERE n<40) SELECT n FROM count;
CREATE TEMP TABLE copies AS SELECT messages.*, n FROM messages, numbers WHERE id=1;
UPDATE copies SET id=1000+n;
ALTER TABLE copies DROP COLUMN n;
INSERT INTO messages SELECT * FROM copies;
DROP TABLE copies;
CREATE TEMP TABLE copies AS SELECT recipients.*, n FROM recipients, numbers WHERE message=1;
UPDATE copies SET message=1000+n;
ALTER TABLE copies DROP COLUMN n;
INSERT INTO recipients SELECT * FROM copies;
)sql";

Rows rows_of(SQLite::Database& database, const std::string& sql) {
  Rows rows;
  SQLite::Statement statement(database, sql);
  while (statement.executeStep()) rows.push_back(statement.getColumn(0).getString());
  return rows;
}

// A state directory as a version left it, to be laid out again and again.
class EarlierStore {
 public:
  explicit EarlierStore(int version) : file_(template_.path() + "/queue.db") {
    SQLite::Database database(file_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL");
    database.exec(dump_of(version));
    database.exec(kMore);
    for (const std::string& table : rows_of(database, "SELECT name FROM sqlite_schema WHERE type='table'"))
      if (!table.starts_with("sqlite_")) remember(database, table);
  }

  void lay_out(const TemporaryDirectory& directory) const {
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      std::filesystem::remove_all(entry.path());
    std::filesystem::copy(file_, directory.path() + "/queue.db");
    std::ofstream(directory.path() + "/format") << "1\n";
  }

  // That a store has all of it, in tables like those of a new one.
  void require_all_in(const std::string& directory) const {
    SQLite::Database database(directory + "/queue.db", SQLite::OPEN_READWRITE, 1'000);
    REQUIRE(database.execAndGet("PRAGMA user_version").getInt() == kSchemaVersion);
    REQUIRE(database.execAndGet("PRAGMA integrity_check").getString() == "ok");
    for (const auto& [query, rows] : rows_) {
      CAPTURE(query);
      REQUIRE(rows_of(database, query) == rows);
    }
  }

  [[nodiscard]] std::size_t tables() const { return rows_.size(); }

 private:
  void remember(SQLite::Database& database, const std::string& table) {
    std::string values;
    for (const std::string& column : rows_of(database, "SELECT name FROM pragma_table_info('" + table + "')"))
      values += (values.empty() ? "quote(" : " || ',' || quote(") + column + ")";
    const std::string query = "SELECT " + values + " AS row FROM " + table + " ORDER BY row";
    rows_[query] = rows_of(database, query);
    INFO("versions/*.sql shows no row of " << table);
    REQUIRE_FALSE(rows_[query].empty());
  }

  TemporaryDirectory template_;
  std::string file_;
  std::map<std::string, Rows> rows_;  // by the query that gives them
};

std::unique_ptr<SqliteQueueStore> open_store(const std::string& directory) {
  auto store = SqliteQueueStore::open(directory);
  INFO((store ? std::string() : store.error().detail));
  REQUIRE(store);
  return std::move(*store);
}

Rows tables_in(const std::string& directory) {
  SQLite::Database database(directory + "/queue.db", SQLite::OPEN_READONLY, 1'000);
  return rows_of(database, "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name");
}

// Copies all files as they are, the memory that SQLite shares between processes too: what a kill leaves at this moment.
void copy_state(const std::string& from, const std::string& to) {
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

// Opens a store, and keeps a copy of its directory from before each change of a file.
// @return  how many there are: `copies`/0, /1 …
int copy_before_changes(const TemporaryDirectory& directory, const TemporaryDirectory& copies) {
  FailingDisk disk;
  int count = 0;
  disk.before_change = [&] { copy_state(directory.path(), copies.path() + "/" + std::to_string(count++)); };
  open_store(directory.path()).reset();
  return count;
}

}  // namespace

TEST_CASE("each earlier version is brought to this one with every row, and has the tables of a new store") {
  const TemporaryDirectory fresh;
  open_store(fresh.path()).reset();
  for (int version = 1; version < kSchemaVersion; ++version) {
    CAPTURE(version);
    const EarlierStore earlier(version);
    CHECK(earlier.tables() >= 4);
    const TemporaryDirectory directory;
    earlier.lay_out(directory);
    open_store(directory.path()).reset();
    earlier.require_all_in(directory.path());
    CHECK(tables_in(directory.path()) == tables_in(fresh.path()));
  }
}

TEST_CASE("what earlier versions wrote reads as what it meant") {
  for (int version = 1; version < kSchemaVersion; ++version) {
    CAPTURE(version);
    const TemporaryDirectory directory;
    EarlierStore(version).lay_out(directory);
    auto store = open_store(directory.path());
    const auto message = store->load(QueueId(1));
    REQUIRE(message);
    CHECK(message->header == "Subject: 1\r\n");
    CHECK(message->body == "body of 1\r\n");
    CHECK(message->sealing == (version >= 2 ? Sealing::Due : Sealing::Done));
    CHECK(message->tls_request == (version >= 3 ? TlsRequest::Required : TlsRequest::None));
    CHECK(message->notice.envelope_id == (version >= 5 ? "QQ+2B1" : ""));
    CHECK(message->deliver_by.has_value() == (version >= 8));
    REQUIRE(message->recipients.size() == 3);
    CHECK(message->recipients[0].state == RecipientState::Deferred);
    CHECK(message->recipients[0].notice.notify.has_value() == (version >= 5));
    CHECK_FALSE(store->load(QueueId(2))->reverse_path);
    CHECK(store->load(QueueId(3))->spooled);
    CHECK(store->held_count() == 41);
    CHECK(store->accounts().find("shop")->tenant == "tenant");
    std::size_t waiting = 0;
    REQUIRE(store->each_waiting([&](const WaitingRecipient&) { ++waiting; }));
    CHECK(waiting == 43);
  }
}

TEST_CASE("a kill before any write of a change of the tables loses no row, and the next start finishes the change") {
  const int version = GENERATE(range(1, kSchemaVersion));
  const EarlierStore earlier(version);
  const TemporaryDirectory directory;
  earlier.lay_out(directory);
  const TemporaryDirectory copies;
  const int kills = copy_before_changes(directory, copies);
  CHECK(kills > 10);
  for (int kill = 0; kill < kills; ++kill) {
    CAPTURE(version, kill);
    const std::string left = copies.path() + "/" + std::to_string(kill);
    open_store(left).reset();
    earlier.require_all_in(left);
  }
}

TEST_CASE("a kill before any write of the first start leaves what the next start can use") {
  const TemporaryDirectory fresh;
  const TemporaryDirectory copies;
  const int kills = copy_before_changes(fresh, copies);
  CHECK(kills > 20);
  for (int kill = 0; kill < kills; ++kill) {
    CAPTURE(kill);
    const std::string left = copies.path() + "/" + std::to_string(kill);
    open_store(left).reset();
    CHECK(tables_in(left) == tables_in(fresh.path()));
    SQLite::Database database(left + "/queue.db", SQLite::OPEN_READONLY, 1'000);
    CHECK(database.execAndGet("PRAGMA auto_vacuum").getInt() == 2);
  }
}

TEST_CASE("a power cut before any write of a change of the tables loses no row") {
  const int version = GENERATE(range(1, kSchemaVersion));
  const EarlierStore earlier(version);
  const TemporaryDirectory directory;
  earlier.lay_out(directory);
  std::uint64_t dice = 0;
  std::vector<std::map<std::string, std::string>> cuts;
  {
    SimulatedDisk disk([&](std::uint64_t below) { return split_mix(++dice) % below; });
    disk.before_operation = [&] { cuts.push_back(disk.after_a_cut()); };
    open_store(directory.path()).reset();
  }
  CHECK(cuts.size() > 10);
  for (std::size_t cut = 0; cut < cuts.size(); ++cut) {
    CAPTURE(version, cut);
    earlier.lay_out(directory);
    for (const auto& [path, content] : cuts[cut]) std::ofstream(path, std::ios::binary) << content;
    open_store(directory.path()).reset();
    earlier.require_all_in(directory.path());
  }
}

TEST_CASE("a change of the tables that the disk refuses is begun again at the next start") {
  const EarlierStore earlier(1);
  const TemporaryDirectory directory;
  earlier.lay_out(directory);
  {
    FailingDisk disk;
    disk.sync_result = SQLITE_IOERR_FSYNC;
    CHECK_FALSE(SqliteQueueStore::open(directory.path()));
  }
  open_store(directory.path()).reset();
  earlier.require_all_in(directory.path());
}

TEST_CASE("a database that has lost a table or an index is refused, with its name and a remedy") {
  const TemporaryDirectory directory;
  open_store(directory.path()).reset();
  const auto [sql, name] =
      GENERATE(std::pair("DROP TABLE recipients", "recipients"), std::pair("DROP TABLE audit", "audit"),
               std::pair("DROP INDEX recipients_waiting", "recipients_waiting"));
  SQLite::Database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE).exec(sql);
  const auto store = SqliteQueueStore::open(directory.path());
  REQUIRE_FALSE(store);
  CHECK(store.error().kind == ErrorKind::Corrupt);
  CHECK_THAT(store.error().detail,
             Catch::Contains(std::string("has lost ") + name) && Catch::Contains("waxwing queue salvage"));
}

TEST_CASE("a database of a newer version is refused") {
  const TemporaryDirectory directory;
  open_store(directory.path()).reset();
  SQLite::Database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE)
      .exec("PRAGMA user_version=" + std::to_string(kSchemaVersion + 1));
  const auto store = SqliteQueueStore::open(directory.path());
  REQUIRE_FALSE(store);
  CHECK(store.error().kind == ErrorKind::Corrupt);
  CHECK(store.error().detail.find("newer") != std::string::npos);
}
