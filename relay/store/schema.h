#pragma once

#include <string>

#include "policy/result.h"

namespace waxwing {

class SqliteConnection;

/// Makes a freshly opened writing connection durable (WAL, synchronous=FULL, both read back) and its tables those of
/// this version: creates them in an empty database, and changes those of an older version step by step, each step in
/// one transaction. Everything that the log holds is copied into the database.
/// @param state_directory  gets a file `format`, which tells later that the database must not be empty
/// @errors  Corrupt: damaged, emptied, without a table or index, or written by a newer version; Unavailable: the settings do not hold, or
///          somebody reads for so long that the log cannot be emptied
[[nodiscard]] Result<void> prepare_database(SqliteConnection& connection, const std::string& state_directory);

inline constexpr int kSchemaVersion = 13;

}  // namespace waxwing
