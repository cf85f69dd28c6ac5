#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

/// A field `name=value` of a record; both point into the text of the record.
struct RecordField {
  std::string_view name;   ///< a valid name of a field, case as written
  std::string_view value;  ///< unchecked; without white space around it, except behind the last field
};

/// Splits the text of a record that begins with `version` and continues with fields, each behind a ";", as MTA-STS and
/// TLSRPT publish them in TXT.
/// @errors  Malformed: another version, no ";" between fields, a field without "=" or with a bad name, over a limit
/// @limits  kMaxRecordFields
/// @source  RFC 8461 §3.1, RFC 8460 §3
[[nodiscard]] Result<std::vector<RecordField>> split_record_fields(std::string_view txt, std::string_view version);

/// Whether the text of a record has that version, followed by the ";" without which it is no record at all.
[[nodiscard]] bool has_record_version(std::string_view txt, std::string_view version);

/// Whether the text may be the name of a field: 1 to 32 letters, digits, "_", "-" and ".", the first a letter or digit.
[[nodiscard]] bool is_field_name(std::string_view name);

/// Whether the text may be the value of a field that this version of the record does not define: printable ASCII
/// without "=", ";" and space.
[[nodiscard]] bool is_extension_value(std::string_view value);

inline constexpr std::size_t kMaxRecordFields = 100;

}  // namespace waxwing
