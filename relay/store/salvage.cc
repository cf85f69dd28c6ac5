#include "relay/store/salvage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "relay/store/posix_error.h"
#include "relay/store/salvaged_rows.h"
#include "relay/store/schema.h"
#include "relay/store/spool_file.h"
#include "relay/store/sqlite_connection.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMessagesPerBatch = 1'000;

/// A file that is read and nothing else.
class ReadOnlyFile {
 public:
  explicit ReadOnlyFile(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~ReadOnlyFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  ReadOnlyFile(const ReadOnlyFile&) = delete;
  ReadOnlyFile& operator=(const ReadOnlyFile&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::uint64_t octets() const {
    struct stat status {};
    return is_open() && ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  }
  // What the disk does not give is missing, as what lies behind the end.
  [[nodiscard]] SqlitePages::File pages() const {
    return {[this](std::uint64_t offset, std::size_t count) {
              std::string read(count, '\0');
              const ssize_t got = ::pread(descriptor_, read.data(), count, static_cast<off_t>(offset));
              read.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
              return read;
            },
            octets()};
  }

 private:
  int descriptor_;
};

/// One rescue, from the damaged directory into a new one.
class Rescue {
 public:
  Rescue(const std::string& source, const std::string& target, const SqlitePages& pages)
      : source_(source), target_(target), pages_(pages), rows_(find_rows(pages)) {}

  [[nodiscard]] Result<SalvageReport> run() {
    report_.pages = pages_.page_count();
    report_.pages_in_log = pages_.pages_in_log();
    report_.unread_pages = rows_.unread_pages;
    if (auto made = SqliteQueueStore::open(target_); !made) return tl::unexpected(made.error());
    auto connection = SqliteConnection::open(target_ + "/queue.db", SqliteConnection::Mode::ReadWrite);
    if (!connection) return tl::unexpected(std::move(connection.error()));
    auto written =
        (*connection)->contained("write what was rescued", [&]() -> Result<void> { return write(**connection); });
    connection->reset();
    if (written) written = check();
    if (!written) return tl::unexpected(std::move(written.error()));
    return std::move(report_);
  }

 private:
  Result<void> write(SqliteConnection& connection) {
    connection.run("BEGIN IMMEDIATE");
    std::size_t in_batch = 0;
    for (const auto& [id, place] : rows_.messages) {
      if (auto moved = move(connection, id, place); !moved) return moved;
      if (++in_batch % kMessagesPerBatch == 0) connection.run("COMMIT; BEGIN IMMEDIATE");
    }
    for (const SqliteRecord& account : rows_.accounts) add_account(connection, account);
    connection.run("COMMIT");
    for (const auto& [id, recipients] : rows_.recipients)
      if (!rows_.messages.contains(id)) lose(id, "its row is damaged; recipients are known: " + addresses(recipients));
    return {};
  }

  Result<void> move(SqliteConnection& connection, std::int64_t id, const SalvagedRows::Place& place) {
    const std::vector<SqliteRecord> records = read_records(pages_, place.page);
    const auto recipients = rows_.recipients.find(id);
    if (place.record >= records.size()) return {};
    if (recipients == rows_.recipients.end()) {
      lose(id, "none of its recipients is readable");
      return {};
    }
    const auto waiting = [](const SqliteRecord& row) { return row.values[kStateColumn].integer < 3; };
    if (std::ranges::none_of(recipients->second, waiting)) return {};  // it was on its way out
    const std::vector<SqliteValue> values = message_values(records[place.record]);
    if (values[kSpooledColumn].integer != 0 && !copy_body(id, values[kBodyOctetsColumn].integer)) return {};
    connection.run("SAVEPOINT message");
    try {
      insert(connection, "INSERT INTO messages VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", values);
      for (const SqliteRecord& row : recipients->second)
        insert(connection, "INSERT OR REPLACE INTO recipients VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
               recipient_values(row));
      if (place.doubtful) hold(connection, id);
    } catch (const SQLite::Exception& refused) {
      connection.run("ROLLBACK TO message");
      lose(id, fmt::format("its row is damaged: {}", refused.what()));
    }
    connection.run("RELEASE message");
    return {};
  }

  static void insert(SqliteConnection& connection, const char* sql, const std::vector<SqliteValue>& values) {
    auto query = connection.query(sql);
    for (const SqliteValue& value : values) {
      if (value.kind == SqliteValue::Kind::Integer) {
        query.bind(value.integer);
      } else if (value.kind == SqliteValue::Kind::Text) {
        query.bind_text(value.octets);
      } else if (value.kind == SqliteValue::Kind::Blob) {
        query.bind_octets(value.octets);
      } else {
        query.bind_null();
      }
    }
    query.run();
  }

  void hold(SqliteConnection& connection, std::int64_t id) {
    connection
        .query(
            "UPDATE recipients SET state=2, reason='it was rescued from a page that may have been free: it may have "
            "been "
            "delivered already' WHERE message=? AND state<3")
        .bind(id)
        .run();
    ++report_.doubtful;
  }

  static void add_account(SqliteConnection& connection, const SqliteRecord& account) {
    const std::vector<SqliteValue>& values = account.values;
    auto query = connection.query(
        "INSERT OR IGNORE INTO accounts(name, tenant, password_hash, allowed_senders, scram_keys, uid) "
        "VALUES(?,?,?,?,?,?)");
    for (std::size_t i = 0; i < 4; ++i) query.bind_text(values[i].octets);
    const bool has_uid = values.size() > 4 && values[4].kind == SqliteValue::Kind::Integer;
    const bool declared = values.size() > 5 && values[5].integer != 0;
    if (declared) return;  // it comes from the configuration file
    static const std::string kNone;
    query.bind_text(values.size() > 6 ? values[6].octets : kNone);
    has_uid ? query.bind(values[4].integer) : query.bind_null();
    query.run();
  }

  [[nodiscard]] bool copy_body(std::int64_t id, std::int64_t octets) {
    const QueueId message(static_cast<std::uint64_t>(id));
    const std::string from = spool_path(source_, message);
    std::error_code error;
    const bool whole = fs::file_size(from, error) == static_cast<std::uint64_t>(octets) && !error;
    if (whole && fs::copy_file(from, spool_path(target_, message), fs::copy_options::none, error)) return true;
    lose(id, fmt::format("its body, {}, is missing or not whole", from));
    return false;
  }

  // What the store itself would not read is not rescued.
  Result<void> check() {
    auto store = SqliteQueueStore::open(target_);
    if (!store) return tl::unexpected(std::move(store.error()));
    for (const auto& [id, place] : rows_.messages) {
      const QueueId message(static_cast<std::uint64_t>(id));
      const auto loaded = (*store)->load(message);
      if (loaded) {
        ++report_.messages;
        report_.recipients += loaded->recipients.size();
        note_gaps(*loaded);
      } else if (loaded.error().kind == ErrorKind::Corrupt) {
        lose(id, loaded.error().detail);
        if (auto discarded = (*store)->discard(message); !discarded) return discarded;
      }
    }
    report_.accounts = count_accounts();
    return {};
  }

  // Recipients count from 0, so that a gap is one that was lost.
  void note_gaps(const QueuedMessage& message) {
    std::size_t expected = 0;
    for (const QueuedRecipient& recipient : message.recipients)
      expected = std::max<std::size_t>(expected, recipient.ordinal + 1);
    if (expected > message.recipients.size()) {
      lose(static_cast<std::int64_t>(message.id.value()),
           fmt::format("{} of its recipients could not be read; the others were rescued",
                       expected - message.recipients.size()));
    }
  }

  [[nodiscard]] std::size_t count_accounts() const {
    return static_cast<std::size_t>(std::ranges::count_if(rows_.accounts, [](const SqliteRecord& account) {
      return account.values.size() <= 5 || account.values[5].integer == 0;
    }));
  }

  void lose(std::int64_t id, std::string what) {
    ++report_.lost_messages;
    if (report_.lost.size() < kMaxLostMessages)
      report_.lost.push_back({QueueId(static_cast<std::uint64_t>(id)), std::move(what)});
  }

  static std::string addresses(const std::vector<SqliteRecord>& recipients) {
    constexpr std::size_t kNamed = 10;
    std::string text;
    for (std::size_t i = 0; i < std::min(kNamed, recipients.size()); ++i)
      text += (i == 0 ? "" : ", ") + recipients[i].values[2].octets;
    return recipients.size() > kNamed ? text + " …" : text;
  }

  const std::string& source_;
  const std::string& target_;
  const SqlitePages& pages_;
  SalvagedRows rows_;
  SalvageReport report_;
};

// Nobody may write meanwhile; the lock that a relay holds is asked for, and nothing written.
Result<void> keep_relay_away(const ReadOnlyFile& lock, const std::string& state_directory) {
  if (!lock.is_open() || ::flock(lock.descriptor(), LOCK_SH | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return posix_failure("lock", state_directory + "/lock", errno);
  return fail(ErrorKind::Conflict, fmt::format("{} is in use; stop waxwingd first", state_directory));
}

// As SQLite sees it, without the log and without a change; it may refuse to look at all.
std::vector<std::string> integrity_of(const std::string& path) {
  std::vector<std::string> lines;
  try {
    SQLite::Database database("file:" + path + "?immutable=1", SQLite::OPEN_READONLY | SQLite::OPEN_URI);
    SQLite::Statement check(database, "PRAGMA integrity_check(20)");
    while (lines.size() < kMaxIntegrityLines && check.executeStep()) lines.push_back(check.getColumn(0).getString());
  } catch (const SQLite::Exception& failure) {
    lines.emplace_back(failure.what());
  }
  return lines;
}

// Whoever called this, the new directory belongs to whom the old one did.
void give_away(const std::string& target, const std::string& like) {
  struct stat status {};
  if (::geteuid() != 0 || ::stat(like.c_str(), &status) != 0) return;
  std::error_code error;
  const auto give = [&](const fs::path& path) { (void)!::lchown(path.c_str(), status.st_uid, status.st_gid); };
  for (fs::recursive_directory_iterator entry(target, error), end; !error && entry != end; entry.increment(error))
    give(entry->path());
  give(target);
}

}  // namespace

Result<SalvageReport> salvage(const std::string& state_directory, const std::string& target) {
  const std::string path = state_directory + "/queue.db";
  const ReadOnlyFile lock(state_directory + "/lock");
  if (auto kept = keep_relay_away(lock, state_directory); !kept) return tl::unexpected(std::move(kept.error()));
  const ReadOnlyFile database(path);
  if (!database.is_open()) return posix_failure("open", path, errno);
  std::error_code error;
  if (fs::symlink_status(target, error).type() != fs::file_type::not_found)
    return fail(ErrorKind::Conflict, fmt::format("{} exists already; name a directory that does not", target));
  const ReadOnlyFile log(path + "-wal");
  const SqlitePages pages(database.pages(), log.pages());
  if (pages.page_count() == 0) return fail(ErrorKind::Corrupt, path + " holds no page");
  if (pages.user_version().value_or(0) > static_cast<std::uint32_t>(kSchemaVersion))
    return fail(ErrorKind::Corrupt, path + " was written by a newer waxwing; run that one");
  auto report = Rescue(state_directory, target, pages).run();
  give_away(target, state_directory);
  if (report) report->integrity = integrity_of(path);
  return report;
}

}  // namespace waxwing
