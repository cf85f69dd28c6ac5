#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

// Changes of a zone as messages, to be signed with TSIG. Each has prerequisites, or touches one record by its data, so
// that records of others at the same name stay what they are.

/// Adds a TXT record where there is no TXT and no CNAME record yet.
/// @errors  Malformed: a name that DNS cannot carry
/// @source  RFC 2136 §2.4.3 (RRset does not exist), RFC 2136 §2.5.1
[[nodiscard]] Result<std::string> write_txt_addition(std::uint16_t id, std::string_view zone, std::string_view name,
                                                     std::uint32_t ttl, std::string_view text);

/// Removes this TXT record, and no other; without it nothing changes.
/// @source  RFC 2136 §2.5.4
[[nodiscard]] Result<std::string> write_txt_removal(std::uint16_t id, std::string_view zone, std::string_view name,
                                                    std::string_view text);

/// Puts a TXT record in the place of another, if the TXT records of the name are that one alone.
/// @source  RFC 2136 §2.4.2 (RRset exists, value dependent)
[[nodiscard]] Result<std::string> write_txt_replacement(std::uint16_t id, std::string_view zone, std::string_view name,
                                                        std::uint32_t ttl, std::string_view from, std::string_view to);

}  // namespace waxwing
