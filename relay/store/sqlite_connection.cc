#include "relay/store/sqlite_connection.h"

#include <SQLiteCpp/Column.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <chrono>
#include <limits>

namespace waxwing {
namespace {

constexpr int kBusyTimeoutMs = 5'000;
constexpr WallTime kLatestTime = std::chrono::sys_days{std::chrono::year{9999} / 12 / 31};

ErrorKind kind_of(int code) {
  switch (code & 0xff) {  // the low octet of an extended code is the primary one
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorKind::Exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::Corrupt;
    case SQLITE_CONSTRAINT:
      return ErrorKind::Conflict;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorKind::Denied;
    default:
      return ErrorKind::Unavailable;
  }
}

std::string_view remedy_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Exhausted:
      return "; free disk space or memory";
    case ErrorKind::Corrupt:
      return "; stop waxwingd, copy the state directory, then rebuild queue.db with \"sqlite3 queue.db .recover\" "
             "or restore it";
    case ErrorKind::Denied:
      return "; give the file to the user that runs waxwingd";
    default:
      return "";
  }
}

int size_for_sqlite(const std::string& value) {
  if (value.size() > std::size_t{std::numeric_limits<int>::max()}) throw SQLite::Exception("too large", SQLITE_TOOBIG);
  return static_cast<int>(value.size());
}

int note_log_pages(void* log_pages, sqlite3* /*database*/, const char* /*name*/, int pages) {
  *static_cast<int*>(log_pages) = pages;
  return SQLITE_OK;
}

Error sqlite_error(std::string_view doing, const SQLite::Exception& exception) {
  const ErrorKind kind = kind_of(exception.getErrorCode());
  return {kind, fmt::format("cannot {}: {}{}", doing, exception.what(), remedy_for(kind))};
}

}  // namespace

Query& Query::bind(std::int64_t value) {
  statement_.bind(parameter_++, value);
  return *this;
}

Query& Query::bind_text(const std::string& value) {
  size_for_sqlite(value);
  statement_.bindNoCopy(parameter_++, value);
  return *this;
}

Query& Query::bind_octets(const std::string& value) {
  statement_.bindNoCopy(parameter_++, static_cast<const void*>(value.data()), size_for_sqlite(value));
  return *this;
}

Query& Query::bind_null() {
  statement_.bind(parameter_++);
  return *this;
}

int Query::run() {
  return statement_.exec();
}

std::int64_t Query::integer(std::int64_t least, std::int64_t most) {
  const SQLite::Column column = statement_.getColumn(column_++);
  if (!column.isInteger() || column.getInt64() < least || column.getInt64() > most) {
    throw CorruptValue(fmt::format("{} is out of range", column.getName()));
  }
  return column.getInt64();
}

WallTime Query::time() {
  return WallTime{Milliseconds{integer(0, kLatestTime.time_since_epoch().count())}};
}

std::string Query::octets(std::size_t most) {
  const SQLite::Column column = statement_.getColumn(column_++);
  if (!(column.isText() || column.isBlob()) || static_cast<std::size_t>(column.getBytes()) > most) {
    throw CorruptValue(fmt::format("{} is missing or longer than {} octets", column.getName(), most));
  }
  return column.getString();
}

bool Query::skip_null() {
  if (!statement_.isColumnNull(column_)) return false;
  ++column_;
  return true;
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, Mode mode) {
  try {
    return std::unique_ptr<SqliteConnection>(new SqliteConnection(path, mode));
  } catch (const SQLite::Exception& exception) {
    return tl::unexpected(sqlite_error("open " + path, exception));
  }
}

SqliteConnection::SqliteConnection(const std::string& path, Mode mode)
    : database_(path, (mode == Mode::ReadOnly ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE) | SQLite::OPEN_NOMUTEX,
                kBusyTimeoutMs) {
  // The file is input: views and triggers that somebody put into it must not run functions of ours.
  database_.exec("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;");
  sqlite3_wal_hook(database_.getHandle(), note_log_pages, &log_pages_);
}

Query SqliteConnection::query(const char* sql) {
  auto& statement = statements_[sql];
  if (!statement) statement = std::make_unique<SQLite::Statement>(database_, sql);
  return Query(*statement);
}

void SqliteConnection::checkpoint() {
  log_pages_ = 0;  // when a reader stood in the way, the next commit counts them again
  run("PRAGMA wal_checkpoint(PASSIVE)");
}

std::int64_t SqliteConnection::pragma_number(const char* sql) {
  return database_.execAndGet(sql).getInt64();
}

std::string SqliteConnection::pragma_text(const char* sql) {
  return database_.execAndGet(sql).getString();
}

Error SqliteConnection::error_of(std::string_view doing, const SQLite::Exception& exception) {
  Error error = sqlite_error(doing, exception);
  if (error.kind != ErrorKind::Conflict) failed_ = true;
  return error;
}

std::string SqliteConnection::corrupt_detail(std::string_view doing, std::string_view what) {
  return fmt::format("cannot {}: {}{}", doing, what, remedy_for(ErrorKind::Corrupt));
}

}  // namespace waxwing
