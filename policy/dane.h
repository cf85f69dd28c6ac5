#pragma once

#include <span>
#include <string>

#include "policy/certificate_chain.h"
#include "policy/certificate_verdict.h"
#include "policy/time_point.h"
#include "policy/tlsa_record.h"

namespace waxwing {

/// Decides whether a chain that a server presented matches its TLSA records.
/// Usage 3 compares the leaf and looks at neither names nor dates. Usage 2 builds a path from the leaf to a presented
/// certificate that matches (or to a key that signed one), and checks dates and names. Digest agility applies per usage
/// and selector. Records that are not usable are passed over.
/// @param chain_der             certificates in DER as presented, leaf first; hostile
/// @param records               the TLSA RRset, at least one of it usable
/// @param reference_identifiers names acceptable to usage 2, lower case A-labels
/// @param now                   for the dates of usage 2
/// @limits                      at most kMaxTlsaRecords records and kMaxChainCertificates certificates are looked at,
/// and 8 bare keys ("2 1 0")
/// @source  RFC 7672 §3.1 and §3.2, RFC 7671 §5 and §9
[[nodiscard]] CertificateVerdict verify_dane(std::span<const std::string> chain_der,
                                             std::span<const TlsaRecord> records,
                                             std::span<const std::string> reference_identifiers, WallTime now);

inline constexpr std::size_t kMaxTlsaRecords = 100;

}  // namespace waxwing
