#pragma once

#include <string>
#include <string_view>

namespace waxwing {

/// Writes a TXT record as one line of a zone file: `name. IN TXT "…" "…"`, its text split into strings of at most 255
/// octets, since a longer one does not exist on the wire.
/// @param name  without trailing dot
/// @param text  any octets; those that are not printable ASCII are written as \DDD
/// @source  RFC 1035 §3.3.14 and §5.1, RFC 6376 §3.6.2.2
[[nodiscard]] std::string format_txt_record(std::string_view name, std::string_view text);

}  // namespace waxwing
