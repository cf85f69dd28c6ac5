#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>

#include "keys/signer.h"
#include "policy/dkim_key_record.h"
#include "policy/result.h"
#include "policy/secret.h"

namespace waxwing {

/// RSA keys below this are never made, loaded or used (RFC 8301 §3.2).
inline constexpr unsigned kMinRsaBits = 1024;
/// Callers warn about RSA keys below this (RFC 8301 §3.2: signers SHOULD use at least 2048 bits).
inline constexpr unsigned kAdvisedRsaBits = 2048;
/// Verifiers need not accept more (RFC 8301 §3.2), so a longer key would sign mail that nobody verifies.
inline constexpr unsigned kMaxRsaBits = 4096;
/// A larger PEM text is not a key of ours.
inline constexpr std::size_t kMaxPemOctets = 65'536;

/// The private half of a DKIM or ARC key. Move-only; the octets of the key are wiped with the object.
class SigningKey : public Signer {
 public:
  /// Makes a new key from the system's random numbers.
  /// @param rsa_bits  1024 to 4096, a multiple of 128; unused for Ed25519
  /// @errors  Denied: `rsa_bits` outside that range; Exhausted: out of memory
  [[nodiscard]] static Result<SigningKey> generate(DkimKeyType type, unsigned rsa_bits = kAdvisedRsaBits);

  /// Reads the first private key of a PEM text: PKCS #8 (RSA, Ed25519) or PKCS #1 (RSA), not encrypted.
  /// @errors  Malformed: no PEM, damaged, a public key, a certificate, encrypted, another kind of key (ECDSA, RSA-PSS,
  ///          Ed448); Denied: RSA below kMinRsaBits or above kMaxRsaBits. The sentence names no file; the caller adds
  ///          it.
  /// @limits  kMaxPemOctets
  /// @source  RFC 5958, RFC 8017 §A.1.2, RFC 8410 §7
  [[nodiscard]] static Result<SigningKey> from_pem(std::string_view pem);

  /// Makes the key of a seed, 32 octets (RFC 8032 §5.1.5).
  /// @errors  Malformed: another number of octets; Exhausted: out of memory
  [[nodiscard]] static Result<SigningKey> from_ed25519_seed(std::string_view seed);

  /// The key as PKCS #8 in PEM, unencrypted.
  [[nodiscard]] Secret to_pem() const;

  [[nodiscard]] DkimKeyType type() const override;
  [[nodiscard]] unsigned size_bits() const override;

  /// Computed from the private half.
  [[nodiscard]] std::string public_key() const override;

  /// Signs the canonical header octets: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519 over their SHA-256 digest.
  /// May be called from several threads at once.
  /// @return  the raw signature: size_bits() / 8 octets for RSA, 64 for Ed25519
  /// @errors  Unavailable: the operation failed (out of memory, or a hardware fault that its self-check caught)
  /// @source  RFC 6376 §3.3.1, RFC 8463 §3
  [[nodiscard]] Result<std::string> sign(std::string_view header_octets) const;

  /// sign(), for any tenant.
  [[nodiscard]] Result<std::string> sign_for(std::string_view /*tenant*/,
                                             std::string_view header_octets) const override {
    return sign(header_octets);
  }

 private:
  explicit SigningKey(bssl::UniquePtr<EVP_PKEY> key) : key_(std::move(key)) {}
  [[nodiscard]] static Result<SigningKey> admit(bssl::UniquePtr<EVP_PKEY> key);

  bssl::UniquePtr<EVP_PKEY> key_;
};

}  // namespace waxwing
