#include "relay/store/salvaged_rows.h"

#include <algorithm>
#include <string_view>

namespace waxwing {
namespace {

using Kind = SqliteValue::Kind;

// One letter a column: i(nteger), t(ext), b(lob); upper case: or NULL. Those behind the bar came later.
constexpr std::string_view kMessageColumns = "IiittTtiiiibB|iiittIii";
constexpr std::string_view kRecipientColumns = "iittiiittt|itii";
constexpr std::string_view kAccountColumns = "tttt|Iit";

bool fits(const SqliteValue& value, char letter) {
  const char lower = static_cast<char>(letter | 0x20);
  if (value.kind == Kind::Null) return letter != lower;
  return value.kind == (lower == 'i' ? Kind::Integer : lower == 't' ? Kind::Text : Kind::Blob);
}

bool fit(const std::vector<SqliteValue>& values, std::string_view columns) {
  const std::size_t least = columns.find('|');
  if (values.size() < least || values.size() > columns.size() - 1) return false;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!fits(values[i], columns[i < least ? i : i + 1])) return false;
  return true;
}

// New columns have 0, '' or NULL where a row was written before them.
std::vector<SqliteValue> completed(std::vector<SqliteValue> values, std::string_view columns) {
  for (std::size_t i = values.size(); i < columns.size() - 1; ++i) {
    const char letter = columns[i + 1];
    values.push_back({letter == 'I' ? Kind::Null : letter == 'i' ? Kind::Integer : Kind::Text});
  }
  return values;
}

void take(const SqlitePages& pages, std::uint32_t number, SalvagedRows& rows) {
  std::vector<SqliteRecord> records = read_records(pages, number);
  const bool doubtful = !records.empty() && pages.free_list_damaged() && !pages.is_said_to_be_used(number);
  for (std::size_t i = 0; i < records.size(); ++i) {
    SqliteRecord& record = records[i];
    if (record.rowid) {
      const auto known = rows.messages.find(*record.rowid);
      const bool better = known == rows.messages.end() || known->second.doubtful;
      if (*record.rowid >= 0 && better && fit(record.values, kMessageColumns))
        rows.messages[*record.rowid] = {number, i, doubtful};
    } else if (fit(record.values, kRecipientColumns)) {
      rows.recipients[record.values[0].integer].push_back(std::move(record));
    } else if (fit(record.values, kAccountColumns) && !doubtful) {
      rows.accounts.push_back(std::move(record));
    }
  }
}

}  // namespace

SalvagedRows find_rows(const SqlitePages& pages) {
  SalvagedRows rows;
  for (std::uint32_t number = 1; number <= pages.page_count(); ++number) {
    if (pages.is_free(number)) continue;
    if (pages.page(number).empty()) ++rows.unread_pages;
    take(pages, number, rows);
  }
  return rows;
}

std::vector<SqliteValue> message_values(const SqliteRecord& record) {
  std::vector<SqliteValue> values = completed(record.values, kMessageColumns);
  values[0] = {Kind::Integer, record.rowid.value_or(0)};
  return values;
}

std::vector<SqliteValue> recipient_values(const SqliteRecord& record) {
  return completed(record.values, kRecipientColumns);
}

}  // namespace waxwing
