#pragma once

#include <openssl/base.h>

#include <string_view>

#include "policy/dkim_key_record.h"
#include "policy/result.h"

namespace waxwing {

/// Keys beyond this are refused before the arithmetic, which grows with the cube of the length; verifiers must know
/// 4096 bits (RFC 8301 §3.2).
inline constexpr unsigned kMaxVerifiedRsaBits = 8192;

/// The public half of somebody's DKIM or ARC key, as published.
class VerifyingKey {
 public:
  /// Reads the key of a record. RSA comes as SubjectPublicKeyInfo or as bare RSAPublicKey (RFC 6376 §3.6.1 and its
  /// erratum 3017).
  /// @param record  not revoked
  /// @errors  Malformed: not a key of the record's type; Denied: RSA above kMaxVerifiedRsaBits
  [[nodiscard]] static Result<VerifyingKey> from_record(const DkimKeyRecord& record);

  /// Length of the RSA modulus, or 256 for Ed25519. Callers refuse RSA below kMinRsaBits.
  [[nodiscard]] unsigned size_bits() const;

  /// Whether `signature` is this key's over the SHA-256 of the canonical header octets.
  /// @source  RFC 6376 §3.3, RFC 8463 §3
  [[nodiscard]] bool verifies(std::string_view header_octets, std::string_view signature) const;

 private:
  explicit VerifyingKey(bssl::UniquePtr<EVP_PKEY> key) : key_(std::move(key)) {}

  bssl::UniquePtr<EVP_PKEY> key_;
};

}  // namespace waxwing
