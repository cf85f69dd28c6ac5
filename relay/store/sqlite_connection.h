#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

// Inside this folder failures of SQLite are exceptions; contained() turns them into Results at its border.

/// Thrown when a value read back cannot have been written by us.
class CorruptValue : public std::exception {
 public:
  explicit CorruptValue(std::string what) : what_(std::move(what)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

/// Runs `read`, and names the message in what it throws about a value.
template <class Read>
void naming(QueueId message, const Read& read) {
  try {
    read();
  } catch (const CorruptValue& value) {
    throw CorruptValue("message " + message.str() + ": " + value.what());
  }
}

/// One use of a prepared statement; resets it at the end. Parameters count from 1, columns from 0.
class Query {
 public:
  explicit Query(SQLite::Statement& statement) : statement_(statement) {}
  ~Query() { statement_.tryReset(); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Binds the next parameter. Strings are not copied: they must live until the query is over.
  Query& bind(std::int64_t value);
  Query& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
  Query& bind(WallTime value) { return bind(std::int64_t{value.time_since_epoch().count()}); }
  Query& bind_text(const std::string& value);
  Query& bind_octets(const std::string& value);
  Query& bind_null();

  /// Goes to the next row; false at the end.
  [[nodiscard]] bool step() { return statement_.executeStep(); }
  /// Runs a statement without rows and returns the number of rows changed.
  int run();

  // Values of the next column in turn, bounds-checked: each throws CorruptValue.
  [[nodiscard]] std::int64_t integer(std::int64_t least, std::int64_t most);
  [[nodiscard]] bool flag() { return integer(0, 1) == 1; }
  [[nodiscard]] WallTime time();
  [[nodiscard]] std::string octets(std::size_t most);
  /// Whether the next column is NULL; then it is passed over.
  [[nodiscard]] bool skip_null();
  /// Starts again with the first column; to be called for each row.
  void rewind_columns() { column_ = 0; }

 private:
  SQLite::Statement& statement_;
  int parameter_ = 1;
  int column_ = 0;
};

/// One connection to the database with its prepared statements; used by one thread at a time.
class SqliteConnection {
 public:
  enum class Mode { ReadWrite, ReadOnly };

  /// Opens a database that exists.
  [[nodiscard]] static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, Mode mode);

  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// Prepares a statement at its first use and keeps it.
  /// @param sql  a string literal
  [[nodiscard]] Query query(const char* sql);

  /// Runs one or more statements without parameters and rows.
  void run(const char* sql) { database_.exec(sql); }
  /// First column of the first row of a PRAGMA.
  [[nodiscard]] std::int64_t pragma_number(const char* sql);
  [[nodiscard]] std::string pragma_text(const char* sql);

  /// Copies the log into the database as far as no reader stands in the way.
  void checkpoint();

  /// Pages in the write-ahead log after the last commit.
  [[nodiscard]] int log_pages() const { return log_pages_; }

  /// Runs `work`, which returns a Result, and turns what it throws into an Error.
  /// @param doing  "read message …", for people
  template <class Work>
  auto contained(std::string_view doing, Work&& work) -> decltype(work()) {
    try {
      return work();
    } catch (const SQLite::Exception& exception) {
      return tl::unexpected(error_of(doing, exception));
    } catch (const CorruptValue& value) {
      return fail(ErrorKind::Corrupt, corrupt_detail(doing, value.what()));
    } catch (const std::bad_alloc&) {
      return fail(ErrorKind::Exhausted, "memory is exhausted");
    }
  }

  /// Whether the database itself has failed since it was opened; a violated constraint is no failure.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  SqliteConnection(const std::string& path, Mode mode);
  [[nodiscard]] Error error_of(std::string_view doing, const SQLite::Exception& exception);
  [[nodiscard]] static std::string corrupt_detail(std::string_view doing, std::string_view what);

  SQLite::Database database_;
  std::unordered_map<std::string_view, std::unique_ptr<SQLite::Statement>> statements_;
  int log_pages_ = 0;
  bool failed_ = false;
};

}  // namespace waxwing
