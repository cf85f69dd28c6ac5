#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "relay/store/sqlite_pages.h"
#include "relay/store/sqlite_records.h"

namespace waxwing {

/// Rows of the queue that were found on the pages of a damaged database, told from all others by the number and kinds of
/// their columns.
struct SalvagedRows {
  /// Where a message is: page and place among the records of that page.
  struct Place {
    std::uint32_t page = 0;
    std::size_t record = 0;
    bool doubtful = false;  ///< the page may be free
  };
  std::map<std::int64_t, Place> messages;                        ///< by id
  std::map<std::int64_t, std::vector<SqliteRecord>> recipients;  ///< by message
  std::vector<SqliteRecord> accounts;
  std::size_t unread_pages = 0;
};

/// Looks at every page once.
/// @limits  memory for all recipients; of messages it keeps where they are
[[nodiscard]] SalvagedRows find_rows(const SqlitePages& pages);

// The rows as tables have their columns, with the defaults of columns that were added after they were written.
[[nodiscard]] std::vector<SqliteValue> message_values(const SqliteRecord& record);
[[nodiscard]] std::vector<SqliteValue> recipient_values(const SqliteRecord& record);

/// Where columns stand. @see schema.cc
inline constexpr std::size_t kSpooledColumn = 9;
inline constexpr std::size_t kBodyOctetsColumn = 10;
inline constexpr std::size_t kStateColumn = 4;

}  // namespace waxwing
