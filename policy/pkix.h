#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/x509.h>

#include "policy/certificate_verdict.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// The certificates of the authorities that are believed. Immutable once made; may be shared between threads.
class TrustAnchors {
 public:
  /// Reads all certificates of a PEM bundle.
  /// @errors  Malformed: no certificate in it, or one that cannot be parsed
  [[nodiscard]] static Result<TrustAnchors> from_pem(std::string_view pem);

  [[nodiscard]] X509_STORE* store() const { return store_.get(); }

  /// Tells one bundle from another: SHA-256 of its text, 32 octets.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

 private:
  TrustAnchors(bssl::UniquePtr<X509_STORE> store, std::string fingerprint)
      : store_(std::move(store)), fingerprint_(std::move(fingerprint)) {}
  bssl::UniquePtr<X509_STORE> store_;
  std::string fingerprint_;
};

/// Decides whether a chain proves one of the names by a trusted authority: subjectAltName dNSName only (never the
/// common name), a wildcard only as the whole left-most label, RSA keys of 2048 bits or more.
/// @param chain_der  certificates in DER as presented, leaf first; hostile
/// @param names      acceptable reference identifiers, lower case A-labels
/// @source  RFC 5280 §6, RFC 9525 §6, RFC 8461 §4.1
[[nodiscard]] CertificateVerdict verify_pkix(std::span<const std::string> chain_der, const TrustAnchors& anchors,
                                             std::span<const std::string> names, WallTime now);

}  // namespace waxwing
