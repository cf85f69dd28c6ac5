#include "relay/store/schema.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <new>
#include <set>
#include <utility>

#include "relay/store/posix_error.h"
#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

// Small columns come first, so that listing does not read the pages of headers and bodies.
constexpr const char* kTables = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE messages(
  id INTEGER PRIMARY KEY,
  accepted INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  account TEXT NOT NULL,
  tenant TEXT NOT NULL,
  reverse_path TEXT,
  message_id TEXT NOT NULL,
  needs_8bit INTEGER NOT NULL,
  needs_smtputf8 INTEGER NOT NULL,
  spooled INTEGER NOT NULL,
  body_octets INTEGER NOT NULL,
  header BLOB NOT NULL,
  body BLOB
) STRICT;
CREATE TABLE recipients(
  message INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  address TEXT NOT NULL,
  domain TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  report TEXT NOT NULL,
  PRIMARY KEY(message, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE accounts(
  name TEXT PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  allowed_senders TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sts_policies(
  domain TEXT PRIMARY KEY NOT NULL,
  policy_id TEXT NOT NULL,
  body BLOB NOT NULL,
  fetched INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version=1;
COMMIT;
)sql";

// What makes version 2 of version 1, and so on. A new database goes through all of them too, so that there is one way
// to each version. New columns of `messages` stand behind header and body: read them only where those are read.
constexpr const char* kSteps[] = {
    R"sql(
BEGIN IMMEDIATE;
ALTER TABLE messages ADD COLUMN sealing INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version=2;
COMMIT;
)sql",
    R"sql(
BEGIN IMMEDIATE;
ALTER TABLE messages ADD COLUMN tls_request INTEGER NOT NULL DEFAULT 0;
CREATE TABLE tls_results(
  day INTEGER NOT NULL,
  domain TEXT NOT NULL,
  policy TEXT NOT NULL,
  failure TEXT NOT NULL,
  sessions INTEGER NOT NULL,
  PRIMARY KEY(day, domain, policy, failure)
) STRICT, WITHOUT ROWID;
PRAGMA user_version=3;
COMMIT;
)sql",
    R"sql(
BEGIN IMMEDIATE;
CREATE TABLE proven_tls(
  domain TEXT PRIMARY KEY NOT NULL,
  method TEXT NOT NULL,
  first_proven INTEGER NOT NULL,
  last_proven INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version=4;
COMMIT;
)sql",
    R"sql(
BEGIN IMMEDIATE;
ALTER TABLE messages ADD COLUMN returned_content INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN envelope_id TEXT NOT NULL DEFAULT '';
ALTER TABLE recipients ADD COLUMN notify INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipients ADD COLUMN original_recipient TEXT NOT NULL DEFAULT '';
ALTER TABLE recipients ADD COLUMN delay_told INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version=5;
COMMIT;
)sql",
    R"sql(
BEGIN IMMEDIATE;
ALTER TABLE accounts ADD COLUMN uid INTEGER;
ALTER TABLE accounts ADD COLUMN declared INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX accounts_by_uid ON accounts(uid) WHERE uid IS NOT NULL;
CREATE TABLE quotas(
  owner INTEGER NOT NULL,
  name TEXT NOT NULL,
  messages_per_hour INTEGER NOT NULL,
  messages_per_day INTEGER NOT NULL,
  recipients_per_hour INTEGER NOT NULL,
  recipients_per_day INTEGER NOT NULL,
  octets_per_day INTEGER NOT NULL,
  new_recipients_per_day INTEGER NOT NULL,
  connections INTEGER NOT NULL,
  over_limit INTEGER NOT NULL,
  held_because TEXT NOT NULL,
  PRIMARY KEY(owner, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE usage_hours(
  owner INTEGER NOT NULL,
  name TEXT NOT NULL,
  hour INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  recipients INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  new_recipients INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  bounced INTEGER NOT NULL,
  PRIMARY KEY(owner, name, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE known_recipients(
  account TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  day INTEGER NOT NULL,
  PRIMARY KEY(account, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens(
  digest BLOB PRIMARY KEY NOT NULL,
  account TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE idempotency_keys(
  account TEXT NOT NULL,
  key TEXT NOT NULL,
  digest BLOB NOT NULL,
  message INTEGER NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY(account, key)
) STRICT, WITHOUT ROWID;
PRAGMA user_version=6;
COMMIT;
)sql",
    // All that a start needs, side by side: it must not read the pages of a million headers and bodies.
    R"sql(
BEGIN IMMEDIATE;
CREATE INDEX messages_at_start ON messages(id, expires, tenant);
CREATE INDEX recipients_waiting ON recipients(message, ordinal, domain, attempts, next_attempt, state) WHERE state<2;
PRAGMA user_version=7;
COMMIT;
)sql",
    // With not_before, which the index of a start must hold as well.
    R"sql(
BEGIN IMMEDIATE;
ALTER TABLE messages ADD COLUMN release_request TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN deliver_by INTEGER;
ALTER TABLE messages ADD COLUMN by_mode INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN by_trace INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipients ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;
DROP INDEX recipients_waiting;
CREATE INDEX recipients_waiting
  ON recipients(message, ordinal, domain, attempts, next_attempt, not_before, state) WHERE state<2;
PRAGMA user_version=8;
COMMIT;
)sql",
    R"sql(
BEGIN IMMEDIATE;
CREATE TABLE certificates(
  identity TEXT PRIMARY KEY NOT NULL,
  account TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX certificates_by_account ON certificates(account);
PRAGMA user_version=9;
COMMIT;
)sql",
    R"sql(
BEGIN IMMEDIATE;
CREATE TABLE suppressions(
  tenant TEXT NOT NULL,
  address TEXT NOT NULL,
  reason TEXT NOT NULL,
  since INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  PRIMARY KEY(tenant, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppressions_by_end ON suppressions(ends);
CREATE TABLE suppression_counts(
  tenant TEXT PRIMARY KEY NOT NULL,
  entries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version=10;
COMMIT;
)sql",
    R"sql(
BEGIN IMMEDIATE;
CREATE TABLE audit(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  operator TEXT NOT NULL,
  command TEXT NOT NULL,
  filter TEXT NOT NULL,
  messages INTEGER NOT NULL,
  recipients INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX recipients_held ON recipients(message) WHERE state=2;
PRAGMA user_version=11;
COMMIT;
)sql",
    R"sql(
BEGIN IMMEDIATE;
CREATE TABLE egress_uses(
  source TEXT NOT NULL,
  provider TEXT NOT NULL,
  day INTEGER NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY(source, provider)
) STRICT, WITHOUT ROWID;
CREATE TABLE egress_pauses(
  source TEXT NOT NULL,
  provider TEXT NOT NULL,
  ends INTEGER NOT NULL,
  rule TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY(source, provider)
) STRICT, WITHOUT ROWID;
PRAGMA user_version=12;
COMMIT;
)sql",
    // Each connection asks whether there is one of the index.
    R"sql(
BEGIN IMMEDIATE;
ALTER TABLE accounts ADD COLUMN scram_keys TEXT NOT NULL DEFAULT '';
CREATE INDEX accounts_without_scram ON accounts(name) WHERE password_hash<>'' AND scram_keys='';
PRAGMA user_version=13;
COMMIT;
)sql",
};
static_assert(std::size(kSteps) == kSchemaVersion - 1, "a step for each version after the first");

constexpr std::int64_t kIncremental = 2;  // PRAGMA auto_vacuum
constexpr std::int64_t kFull = 2;         // PRAGMA synchronous

std::string format_path(const std::string& state_directory) {
  return state_directory + "/format";
}

Result<void> write_format(const std::string& state_directory) {
  const std::string path = format_path(state_directory);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return posix_failure("create", path, errno);
  const bool written = ::write(descriptor, "1\n", 2) == 2 && ::fsync(descriptor) == 0;
  const int error_number = errno;
  ::close(descriptor);
  if (!written) return posix_failure("write to", path, error_number);
  return sync_directory(state_directory);
}

Result<void> set_durability(SqliteConnection& connection) {
  connection.run("PRAGMA synchronous=FULL;");
  if (connection.pragma_text("PRAGMA journal_mode=WAL") != "wal" ||
      connection.pragma_number("PRAGMA synchronous") != kFull) {
    return fail(ErrorKind::Unavailable,
                "SQLite does not give WAL with synchronous=FULL for queue.db, so nothing could be acknowledged safely; "
                "put the state directory on a local file system");
  }
  return {};
}

Result<void> create_tables(SqliteConnection& connection, const std::string& state_directory) {
  if (::access(format_path(state_directory).c_str(), F_OK) == 0 ||
      connection.pragma_number("SELECT count(*) FROM sqlite_schema") != 0) {
    return fail(
        ErrorKind::Corrupt,
        fmt::format("{0}/queue.db has lost its tables; restore it from a copy, or remove queue.db and format from "
                    "{0} to begin with an empty queue",
                    state_directory));
  }
  connection.run("PRAGMA auto_vacuum=INCREMENTAL;");  // has an effect only before the first page is written
  if (auto durable = set_durability(connection); !durable) return durable;
  connection.run(kTables);
  if (connection.pragma_number("PRAGMA auto_vacuum") != kIncremental) {
    return fail(ErrorKind::Unavailable, "SQLite does not give auto_vacuum=INCREMENTAL for queue.db");
  }
  return write_format(state_directory);
}

// A kill between two steps, or inside one, leaves a version from which the next start goes on.
void change_tables(SqliteConnection& connection, std::int64_t version) {
  for (; version < kSchemaVersion; ++version) connection.run(kSteps[version - 1]);
}

std::set<std::string> names_in(SqliteConnection& connection) {
  constexpr std::size_t kMaxNameOctets = 1'000;
  std::set<std::string> names;
  auto row = connection.query("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'");
  for (; row.step(); row.rewind_columns()) names.insert(row.octets(kMaxNameOctets));
  return names;
}

// Tables and indexes of a new database. Made once: a store that fails may be opened again each second.
const std::set<std::string>& names_of_a_new_database() {
  static const std::set<std::string> kNames = [] {
    auto model = SqliteConnection::open(":memory:", SqliteConnection::Mode::ReadWrite);
    if (!model) throw std::bad_alloc();
    (*model)->run(kTables);
    change_tables(**model, 1);
    return names_in(**model);
  }();
  return kNames;
}

// A table that is missing would fail each use of it, and opening the database anew would mend nothing.
Result<void> check_tables(SqliteConnection& connection, const std::string& state_directory) {
  const std::set<std::string> there = names_in(connection);
  for (const std::string& name : names_of_a_new_database()) {
    if (there.contains(name)) continue;
    return fail(ErrorKind::Corrupt,
                fmt::format("{0}/queue.db has lost {1}; stop waxwingd, and rescue what is there with \"waxwing queue "
                            "salvage\", or restore {0} from a copy",
                            state_directory, name));
  }
  return {};
}

// A sync that failed once may be reported as done the next time, although pages of the log are lost. What is copied
// into the database is written and synced afresh.
Result<void> empty_log(SqliteConnection& connection) {
  const bool busy = connection.pragma_number("PRAGMA wal_checkpoint(TRUNCATE)") != 0;
  if (busy)
    return fail(ErrorKind::Unavailable, "somebody reads queue.db without end, so that its log cannot be emptied");
  return {};
}

}  // namespace

Result<void> prepare_database(SqliteConnection& connection, const std::string& state_directory) {
  return connection.contained("open queue.db", [&]() -> Result<void> {
    const std::int64_t version = connection.pragma_number("PRAGMA user_version");
    if (version < 0 || version > kSchemaVersion) {
      return fail(
          ErrorKind::Corrupt,
          fmt::format("{}/queue.db has version {}, and this waxwing knows {}; run the newer waxwing that wrote it",
                      state_directory, version, kSchemaVersion));
    }
    if (version == 0) {
      if (auto created = create_tables(connection, state_directory); !created) return created;
    } else if (auto durable = set_durability(connection); !durable) {
      return durable;
    } else if (::access(format_path(state_directory).c_str(), F_OK) != 0) {
      if (auto written = write_format(state_directory); !written) return written;
    }
    change_tables(connection, std::max<std::int64_t>(version, 1));
    if (auto whole = check_tables(connection, state_directory); !whole) return whole;
    return empty_log(connection);
  });
}

}  // namespace waxwing
