#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "policy/secret.h"

namespace waxwing {

// The arithmetic of SCRAM-SHA-256, which client and server share (RFC 5802 §3, RFC 7677 §3).

/// What a server keeps of a password. It does not open the account, but a thief can try passwords against it, and stand
/// in for the server.
struct ScramKeys {
  std::uint32_t iterations = 0;  ///< kMinScramIterations to kMaxScramIterations
  std::string salt;              ///< 1 to kMaxScramSaltOctets
  Secret stored_key;             ///< kScramKeyOctets
  Secret server_key;             ///< likewise
};

/// What a client makes of a password for one server.
struct ScramClientKeys {
  Secret client_key;
  Secret server_key;
};

/// Whether SCRAM can be done with this password or user name: printable ASCII, of which SASLprep (RFC 4013) changes
/// nothing.
[[nodiscard]] bool is_scram_text(std::string_view text);

/// @limits  `iterations` times two SHA-256: 30 ms of a core for 100,000
[[nodiscard]] ScramClientKeys derive_scram_client_keys(std::string_view password, std::string_view salt,
                                                       std::uint32_t iterations);

/// What a server keeps of a password for which is_scram_text() holds. Costs as derive_scram_client_keys().
[[nodiscard]] ScramKeys derive_scram_keys(std::string_view password, std::string_view salt, std::uint32_t iterations);

/// H(ClientKey).
[[nodiscard]] Secret scram_stored_key(std::string_view client_key);

/// What ClientSignature and ServerSignature are by definition.
/// @param auth_message  the three messages that came before it, joined by commas
[[nodiscard]] Secret scram_signature(std::string_view key, std::string_view auth_message);

/// Applies XOR, by which a proof hides the client key, and shows it again. Both have the same length.
void scram_xor(Secret& octets, std::string_view with);

/// Whether two secrets are the same. The time it takes tells their lengths alone.
[[nodiscard]] bool scram_equal(std::string_view one, std::string_view other);

/// Reads "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>" with salt and keys in base64, as PostgreSQL and
/// others write it.
/// @errors  Malformed: another form, a length that is none, or iterations out of bounds
/// @source  RFC 5803 §2
[[nodiscard]] Result<ScramKeys> parse_scram_keys(std::string_view text);

/// As parse_scram_keys() reads it; printable ASCII without space.
[[nodiscard]] std::string scram_keys_text(const ScramKeys& keys);

inline constexpr std::size_t kScramKeyOctets = 32;
/// RFC 7677 §4 asks for 4096 at least.
inline constexpr std::uint32_t kMinScramIterations = 4'096;
/// About 0.1 s of one core; a server that asks for more could keep it busy.
inline constexpr std::uint32_t kMaxScramIterations = 200'000;
/// Of keys that are made here.
inline constexpr std::uint32_t kScramIterations = 100'000;
inline constexpr std::size_t kScramSaltOctets = 16;
inline constexpr std::size_t kMaxScramSaltOctets = 1'024;
/// Longest text of keys.
inline constexpr std::size_t kMaxScramKeysOctets = 2'048;

}  // namespace waxwing
