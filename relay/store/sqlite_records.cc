#include "relay/store/sqlite_records.h"

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

constexpr unsigned kInteriorIndex = 2;
constexpr unsigned kLeafIndex = 10;
constexpr unsigned kLeafTable = 13;

/// Reads a page or a record from its front.
class Cursor {
 public:
  explicit Cursor(std::string_view octets) : rest_(octets) {}

  [[nodiscard]] std::optional<std::uint64_t> varint() {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 9; ++i) {
      if (i >= rest_.size()) return std::nullopt;
      const auto octet = static_cast<unsigned char>(rest_[i]);
      if (i == 8 || octet < 0x80) {
        number = i == 8 ? number << 8 | octet : number << 7 | octet;
        rest_.remove_prefix(i + 1);
        return number;
      }
      number = number << 7 | (octet & 0x7f);
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string_view> take(std::uint64_t count) {
    if (count > rest_.size()) return std::nullopt;
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::int64_t signed_number(std::string_view octets) {
  std::uint64_t number = !octets.empty() && (octets[0] & 0x80) != 0 ? ~0ULL : 0;
  for (const char octet : octets) number = number << 8 | static_cast<unsigned char>(octet);
  return static_cast<std::int64_t>(number);
}

std::optional<SqliteValue> value_of(std::uint64_t type, Cursor& body) {
  constexpr std::size_t kIntegerOctets[] = {0, 1, 2, 3, 4, 6, 8};
  if (type == 0) return SqliteValue{};
  if (type == 8 || type == 9) return SqliteValue{SqliteValue::Kind::Integer, type == 9};
  if (type == 10 || type == 11) return std::nullopt;
  const std::uint64_t octets = type <= 6 ? kIntegerOctets[type] : type == 7 ? 8 : (type - 12) / 2;
  const auto taken = body.take(octets);
  if (!taken) return std::nullopt;
  if (type <= 6) return SqliteValue{SqliteValue::Kind::Integer, signed_number(*taken)};
  if (type == 7) return SqliteValue{SqliteValue::Kind::Real};
  return SqliteValue{type % 2 == 0 ? SqliteValue::Kind::Blob : SqliteValue::Kind::Text, 0, std::string(*taken)};
}

// A record is its header (its own length and the types) and the values; both must be as long as they say.
std::optional<std::vector<SqliteValue>> values_of(std::string_view payload) {
  Cursor whole(payload);
  const auto header_octets = whole.varint();
  if (!header_octets || *header_octets > payload.size()) return std::nullopt;
  Cursor header(payload.substr(0, *header_octets));
  Cursor body(payload.substr(*header_octets));
  (void)header.varint();
  std::vector<SqliteValue> values;
  while (!header.empty()) {
    const auto type = header.varint();
    if (!type || values.size() == kMaxRecordColumns) return std::nullopt;
    auto value = value_of(*type, body);
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  if (!body.empty()) return std::nullopt;
  return values;
}

// How much of a payload lies in the cell itself (§1.6).
std::uint64_t octets_in_cell(std::uint64_t payload, std::uint64_t usable, bool is_table) {
  const std::uint64_t most = is_table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
  if (payload <= most) return payload;
  const std::uint64_t least = (usable - 12) * 32 / 255 - 23;
  const std::uint64_t filling = least + (payload - least) % (usable - 4);
  return filling <= most ? filling : least;
}

// Appends what lies on overflow pages; false when the chain breaks.
bool follow_chain(const SqlitePages& pages, std::uint32_t next, std::uint64_t missing, std::string& payload,
                  SqliteRecord& record) {
  while (missing > 0) {
    const std::string page = next > 1 && !pages.is_pointer_map(next) ? pages.page(next) : std::string();
    if (page.empty() || std::ranges::find(record.pages, next) != record.pages.end()) return false;
    record.pages.push_back(next);
    const std::uint64_t here = std::min<std::uint64_t>(missing, pages.usable_octets() - 4);
    payload.append(page, 4, here);
    missing -= here;
    next = big_endian(page, 0, 4);
  }
  return next == 0;
}

std::optional<SqliteRecord> read_cell(const SqlitePages& pages, std::uint32_t number, std::string_view cell,
                                      unsigned kind) {
  Cursor cursor(cell);
  if (kind == kInteriorIndex && !cursor.take(4)) return std::nullopt;
  const auto payload_octets = cursor.varint();
  if (!payload_octets || *payload_octets > kMaxRecordOctets) return std::nullopt;
  SqliteRecord record;
  record.pages.push_back(number);
  if (kind == kLeafTable) {
    const auto rowid = cursor.varint();
    if (!rowid) return std::nullopt;
    record.rowid = static_cast<std::int64_t>(*rowid);
  }
  const std::uint64_t here = octets_in_cell(*payload_octets, pages.usable_octets(), kind == kLeafTable);
  const auto local = cursor.take(here);
  if (!local) return std::nullopt;
  std::string payload(*local);
  if (here < *payload_octets) {
    const auto next = cursor.take(4);
    if (!next || !follow_chain(pages, big_endian(*next, 0, 4), *payload_octets - here, payload, record))
      return std::nullopt;
  }
  auto values = values_of(payload);
  if (!values) return std::nullopt;
  record.values = std::move(*values);
  return record;
}

}  // namespace

std::vector<SqliteRecord> read_records(const SqlitePages& pages, std::uint32_t number) {
  std::vector<SqliteRecord> records;
  const std::string page = pages.page(number);
  if (page.empty() || pages.is_pointer_map(number)) return records;
  const std::size_t header = number == 1 ? 100 : 0;  // of the file
  const unsigned kind = static_cast<unsigned char>(page[header]);
  if (kind != kInteriorIndex && kind != kLeafIndex && kind != kLeafTable) return records;
  const std::size_t pointers = header + (kind == kInteriorIndex ? 12 : 8);
  const std::uint32_t cells = big_endian(page, header + 3, 2);
  for (std::uint32_t i = 0; i < cells && pointers + 2 * i + 2 <= pages.usable_octets(); ++i) {
    const std::uint32_t at = big_endian(page, pointers + 2 * i, 2);
    if (at < pointers + 2ULL * cells || at >= pages.usable_octets()) continue;
    auto record = read_cell(pages, number, std::string_view(page).substr(at, pages.usable_octets() - at), kind);
    if (record) records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace waxwing
