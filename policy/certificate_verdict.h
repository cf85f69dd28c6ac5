#pragma once

#include <string>

namespace waxwing {

/// Whether a presented certificate chain proves the peer, in the words that TLSRPT reports use.
/// @source  RFC 8460 §4.3
enum class CertificateResult {
  Accepted,
  HostMismatch,  ///< certificate-host-mismatch
  Expired,       ///< certificate-expired (or not yet valid)
  NotTrusted,    ///< certificate-not-trusted
  Unreadable,  ///< validation-failure: no certificate, or one that cannot be parsed, or a key or signature too weak to
               ///< rely on
};

struct CertificateVerdict {
  CertificateResult result;
  std::string detail;  ///< a phrase for people: what matched, or what did not and what was presented
};

}  // namespace waxwing
