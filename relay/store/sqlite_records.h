#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/store/sqlite_pages.h"

namespace waxwing {

/// A value of a row, as it was stored.
struct SqliteValue {
  enum class Kind : std::uint8_t { Null, Integer, Real, Text, Blob };
  Kind kind = Kind::Null;
  std::int64_t integer = 0;
  std::string octets{};  ///< of Text and Blob
};

/// A row that was found on a page.
struct SqliteRecord {
  std::optional<std::int64_t> rowid{};  ///< no value: of a table without, or of an index
  std::vector<SqliteValue> values{};
  std::vector<std::uint32_t> pages{};  ///< on which it lies, the first where it begins
};

/// Reads all rows that begin on a page, whatever table or index they are of: rows that cannot be read are left out. Rows of
/// interior pages of a table without rowid count as well.
/// @return  empty for any other page
/// @limits  kMaxRecordOctets for each
/// @source  https://www.sqlite.org/fileformat2.html §1.6 and §2.1
[[nodiscard]] std::vector<SqliteRecord> read_records(const SqlitePages& pages, std::uint32_t number);

inline constexpr std::uint64_t kMaxRecordOctets = 8ULL << 20;
inline constexpr std::size_t kMaxRecordColumns = 100;

}  // namespace waxwing
