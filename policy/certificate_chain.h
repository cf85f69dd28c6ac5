#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/base.h>

#include "policy/certificate_verdict.h"
#include "policy/time_point.h"

namespace waxwing {

/// A chain as a peer presented it, parsed.
struct CertificateChain {
  bssl::UniquePtr<X509> leaf;                  ///< null: there is no leaf, or it cannot be parsed
  std::vector<bssl::UniquePtr<X509>> issuers;  ///< what came after the leaf and could be parsed
};

inline constexpr std::size_t kMaxChainCertificates = 20;

/// Parses what a peer presented. Certificates after the leaf that cannot be parsed are passed over.
/// @limits  at most kMaxChainCertificates are looked at
[[nodiscard]] CertificateChain parse_certificate_chain(std::span<const std::string> chain_der);

/// Parses one certificate; null when it cannot be parsed, holds a key of unknown kind or has octets behind it.
[[nodiscard]] bssl::UniquePtr<X509> parse_certificate(std::string_view der);

/// Parses a SubjectPublicKeyInfo; null when it cannot be parsed or has octets behind it.
[[nodiscard]] bssl::UniquePtr<EVP_PKEY> parse_public_key(std::string_view der);

/// Whether an anchor must be self-signed.
enum class AnchorKind {
  Root,  ///< a path must end at a self-signed certificate of the store
  Any,   ///< a path may end at any certificate of the store, also at the leaf
};

/// Builds and checks a path from the leaf to a certificate of the store: signatures, dates, purpose, names by
/// subjectAltName dNSName only; RSA keys below 2048 bits and SHA-1 signatures are refused.
/// @param names  acceptable reference identifiers; none of them: HostMismatch
/// @source  RFC 5280 §6, RFC 9525 §6
[[nodiscard]] CertificateVerdict verify_certificate_path(const CertificateChain& chain, X509_STORE* store,
                                                         AnchorKind kind, std::span<const std::string> names,
                                                         WallTime now);

/// As verify_certificate_path(), for a client of TLS and without a name: whom it stands for is for the caller to see.
[[nodiscard]] CertificateVerdict verify_client_path(const CertificateChain& chain, X509_STORE* store, WallTime now);

}  // namespace waxwing
