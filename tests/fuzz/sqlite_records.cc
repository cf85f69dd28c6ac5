// Whatever the octets of a database and its log are, rows are read within their bounds, and the same again.
// Input: four octets, big-endian, that say how long the database is; the database; its write-ahead log.

#include <algorithm>
#include <cstdint>
#include <string>

#include "relay/store/salvaged_rows.h"
#include "relay/store/sqlite_pages.h"
#include "relay/store/sqlite_records.h"
#include "tests/fuzz/finding.h"

using namespace waxwing;
using fuzz::require;

namespace {

SqlitePages::File file_of(const std::string& octets) {
  return {[&octets](std::uint64_t offset, std::size_t count) {
            return offset < octets.size() ? octets.substr(offset, count) : std::string();
          },
          octets.size()};
}

void check(const SqlitePages& pages, const SqliteRecord& record) {
  require(record.values.size() <= kMaxRecordColumns, "a row has a bounded number of columns");
  std::uint64_t octets = 0;
  for (const SqliteValue& value : record.values) octets += value.octets.size();
  require(octets <= kMaxRecordOctets, "a row is bounded");
  require(!record.pages.empty(), "a row lies somewhere");
  for (const std::uint32_t page : record.pages)
    require(page >= 1 && page <= pages.page_count(), "a row lies on pages that there are");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(octets), size);
  const std::size_t length = std::min<std::size_t>(big_endian(input, 0, 4), size < 4 ? 0 : size - 4);
  const std::string database = size < 4 ? std::string() : input.substr(4, length);
  const std::string log = size < 4 ? std::string() : input.substr(4 + length);
  const SqlitePages pages(file_of(database), file_of(log));
  std::size_t rows = 0;
  for (std::uint32_t number = 0; number <= pages.page_count() + 1; ++number) {
    const auto records = read_records(pages, number);
    const auto again = read_records(pages, number);
    require(records.size() == again.size(), "what is read once is read again");
    for (const SqliteRecord& record : records) check(pages, record);
    rows += records.size();
  }
  const SalvagedRows found = find_rows(pages);
  std::size_t kept = found.messages.size() + found.accounts.size();
  for (const auto& [message, recipients] : found.recipients) kept += recipients.size();
  require(kept <= rows, "rows of the queue are rows");
  for (const auto& [id, place] : found.messages) {
    const auto records = read_records(pages, place.page);
    require(place.record < records.size() && records[place.record].rowid == id, "a message is found again");
    require(message_values(records[place.record]).size() == 21, "a message has all columns");
  }
  return 0;
}
