#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Hashes a password with yescrypt and a fresh salt. Takes tens of milliseconds by design.
/// @errors  Malformed: empty, longer than kMaxPasswordOctets, or with a NUL octet; Unavailable: no random numbers
[[nodiscard]] Result<std::string> hash_password(std::string_view password);

/// Makes the SCRAM keys of a password with a fresh salt and kScramIterations, as parse_scram_keys() reads them. Takes tens of milliseconds.
/// @errors  Malformed: is_scram_text() does not hold; Unavailable: no random numbers
[[nodiscard]] Result<std::string> make_scram_keys(std::string_view password);

/// Whether the password belongs to the hash. The time it takes does not tell how much of it was right. To be called off
/// the event loops.
[[nodiscard]] bool verify_password(std::string_view password, std::string_view password_hash);

/// Hash of no password, made with the costs of hash_password(): verified in the place of the hash of an account that
/// does not exist, so that time does not tell which names exist.
[[nodiscard]] std::string_view dummy_password_hash();

inline constexpr std::size_t kMaxPasswordOctets = 255;

}  // namespace waxwing
