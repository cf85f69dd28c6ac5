#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "policy/lookup.h"
#include "signer/dkim_result.h"
#include "signer/dkim_signature.h"

namespace waxwing {

/// Of the TXT records at one selector so many are looked at (RFC 6376 §6.1.2 leaves it open which, and how many).
inline constexpr std::size_t kMaxKeyRecords = 5;

/// What the published key says of a signature.
struct PublishedKeyVerdict {
  std::optional<SignatureFault> fault;  ///< no value: the signature is this key's
  unsigned key_bits = 0;                ///< of the key that was used; 0: none could be
  bool testing = false;                 ///< t=y: the domain is trying out DKIM
};

/// Where the key of a signature is published.
[[nodiscard]] Question key_question(const DkimSignature& signature);

/// Verifies a signature with each key record of the answer until one fits.
/// @param answer         to key_question()
/// @param header_octets  canonical fields that were signed, the signature's own field last
/// @source  RFC 6376 §6.1.2 and §6.1.3, RFC 8301 §3.2
[[nodiscard]] PublishedKeyVerdict verify_with_published_key(const Answer& answer, const DkimSignature& signature,
                                                            std::string_view header_octets);

}  // namespace waxwing
