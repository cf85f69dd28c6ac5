#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

// The grammar of SCRAM's messages, which client and server share (RFC 5802 §7).

/// One "name=value".
struct ScramAttribute {
  char name;
  std::string_view value;  ///< may be empty; no comma
};

/// Reads attributes separated by commas; which ones may stand there, and in what order, is for the caller to say.
/// @return  no value: one has no letter as its name, or no "=", or there are more than kMaxScramAttributes
[[nodiscard]] std::optional<std::vector<ScramAttribute>> parse_scram_attributes(std::string_view text);

/// Writes a user name as "n=" and "a=" carry it: "=2C" for a comma, "=3D" for "=".
/// @source  RFC 5802 §5.1
[[nodiscard]] std::string encode_scram_name(std::string_view name);

/// Reads what encode_scram_name() wrote.
/// @errors  Malformed: empty, a NUL, not UTF-8, or a "=" that begins neither of the two
[[nodiscard]] Result<std::string> decode_scram_name(std::string_view text);

/// Whether this may be a nonce: 1 to kMaxScramNonceOctets of printable ASCII, no comma and no space.
[[nodiscard]] bool is_scram_nonce(std::string_view text);

inline constexpr std::size_t kMaxScramAttributes = 16;
inline constexpr std::size_t kMaxScramNonceOctets = 512;

}  // namespace waxwing
