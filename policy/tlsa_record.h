#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// One TLSA record as published; field values outside the enumerations of RFC 6698 are kept as numbers, since
/// "unusable" and "malformed" are different facts.
struct TlsaRecord {
  std::uint8_t usage;          ///< 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE
  std::uint8_t selector;       ///< 0 full certificate, 1 SubjectPublicKeyInfo
  std::uint8_t matching_type;  ///< 0 exact, 1 SHA-256, 2 SHA-512
  std::string association;     ///< certificate association data, raw octets

  /// Reads rdata of any length.
  /// @errors  Malformed: fewer than four octets (no association data)
  /// @source  RFC 6698 §2.1
  [[nodiscard]] static Result<TlsaRecord> from_rdata(std::string_view octets);

  /// Whether SMTP may rely on it: usage 2 or 3, selector 0 or 1, matching type 0, 1 or 2, association data of the
  /// digest's length, or for matching type 0 a certificate or key that can be parsed.
  /// @source  RFC 7672 §3.1.1 to §3.1.3, RFC 7671 §4.1
  [[nodiscard]] bool usable() const;

  /// Presentation form, "3 1 1 0a1b…", in lower case.
  [[nodiscard]] std::string str() const;

  friend auto operator<=>(const TlsaRecord&, const TlsaRecord&) = default;
};

}  // namespace waxwing
