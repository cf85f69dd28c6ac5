#pragma once

#include <span>
#include <string>

#include "policy/certificate_verdict.h"

namespace waxwing {

/// Decides whether a server proved one of the keys that an operator wrote down. As with DANE-EE, names and dates of its
/// certificate do not matter, and neither does who issued it.
/// @param chain_der  certificates in DER as presented, leaf first; hostile
/// @param pins       SHA-256 of SubjectPublicKeyInfo, 32 octets each
/// @source  RFC 7469 §2.4 (the fingerprint), RFC 7671 §5.1 (what it proves)
[[nodiscard]] CertificateVerdict verify_pinned_key(std::span<const std::string> chain_der,
                                                   std::span<const std::string> pins);

}  // namespace waxwing
