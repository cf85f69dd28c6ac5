#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/certificate_verdict.h"
#include "policy/pkix.h"
#include "policy/time_point.h"

namespace waxwing {

/// Whom a certificate of a client stands for, in words that an account can list:
/// "sha256:" and the SHA-256 of its public key (SubjectPublicKeyInfo) in base64, addresses (rfc822Name) and host names
/// (dNSName), with domains in lower case. Names that are neither, or hold a wildcard, are left out.
using CertificateIdentities = std::vector<std::string>;

struct ClientCertificate {
  CertificateVerdict verdict;
  CertificateIdentities identities{};  ///< the key first; empty unless Accepted
};

/// Judges what a client presented: a path to a trusted authority, for the purpose of TLS clients.
/// @param chain_der  certificates in DER as presented, leaf first; hostile
/// @limits  kMaxCertificateIdentities
/// @source  RFC 5280 §6 and §4.2.1.6
[[nodiscard]] ClientCertificate verify_client_certificate(std::span<const std::string> chain_der,
                                                          const TrustAnchors& anchors, WallTime now);

/// Brings what an operator wrote for an account into the form above; a hexadecimal SHA-256, with or without colons, is
/// understood too.
/// @errors  Malformed: neither a key, an address nor a host name
[[nodiscard]] Result<std::string> parse_certificate_identity(std::string_view text);

inline constexpr std::size_t kMaxCertificateIdentities = 20;

}  // namespace waxwing
