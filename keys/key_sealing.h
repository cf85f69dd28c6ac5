#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"
#include "policy/secret.h"

namespace waxwing {

/// What the octets are from which the key-encryption key is derived.
enum class SealingSecretKind : std::uint8_t {
  Key = 1,         ///< random octets: derived by HKDF-SHA256
  Passphrase = 2,  ///< what a person has chosen: derived by scrypt, which costs whoever guesses memory and time
};

/// Fewer octets are no key of 256 bits, also when they are written in base64 or hexadecimal digits.
inline constexpr std::size_t kMinSealingKeyOctets = 32;
inline constexpr std::size_t kMinPassphraseOctets = 12;
inline constexpr std::size_t kMaxSealingSecretOctets = 4'096;
/// A larger text is no sealed key.
inline constexpr std::size_t kMaxSealedOctets = 131'072;
/// Salts of passphrases that one object derives keys for: each costs a tenth of a second.
inline constexpr std::size_t kMaxSealingSalts = 16;

/// Seals private keys for the disk: XChaCha20-Poly1305 under a key that is derived from one secret. What is sealed opens
/// under the name only for which it was sealed, so that nobody who can write files can put one key in another's place.
///
/// The text is PEM-like, `-----BEGIN WAXWING SEALED KEY-----` around the base64 of: version (1), SealingSecretKind,
/// log2 N, r and p of scrypt (0 with a Key), 16 octets of salt, 8 that tell one key-encryption key from another, 24 of
/// nonce, the sealed octets and their tag. All before the sealed octets, and the name, are authenticated with them.
/// One thread at a time.
/// @source  draft-irtf-cfrg-xchacha-03 §2.3, RFC 5869, RFC 7914
class KeySealing {
 public:
  /// @param secret  without the final line end that editors add; see parse_sealing_secret()
  KeySealing(SealingSecretKind kind, Secret secret) : kind_(kind), secret_(std::move(secret)) {}

  /// Seals `content` for `name`.
  /// @errors  Unavailable: out of memory
  [[nodiscard]] Result<std::string> seal(std::string_view name, std::string_view content);

  /// Opens what seal() made, with either kind of secret.
  /// @errors  Malformed: not of this form, or of a later version; Denied: sealed under another secret; Corrupt: changed
  ///          since, or sealed for another name; Exhausted: more than kMaxSealingSalts. The sentence names no file.
  /// @limits  kMaxSealedOctets; scrypt takes 32 MiB
  [[nodiscard]] Result<Secret> open(std::string_view name, std::string_view sealed);

  /// Whether `sealed` is sealed with this secret, and in the kind of this object, so that sealing it again would not
  /// change who can open it.
  [[nodiscard]] bool is_under_this_secret(std::string_view sealed);

 private:
  using Salt = std::array<std::uint8_t, 16>;
  using KeyId = std::array<std::uint8_t, 8>;
  struct Derived {
    SealingSecretKind kind;
    Salt salt;
    Secret key;  ///< 32 octets
    KeyId id;
  };
  struct Sealed;
  [[nodiscard]] static Result<Sealed> parse(std::string_view text);
  [[nodiscard]] Result<const Derived*> derive(SealingSecretKind kind, const Salt& salt);
  [[nodiscard]] Result<const Derived*> derive_for_sealing();

  SealingSecretKind kind_;
  Secret secret_;
  std::vector<Derived> derived_;
};

/// Whether a text claims to be a sealed key.
[[nodiscard]] bool looks_sealed(std::string_view text);

/// Reads the content of a file or credential that holds a secret: line ends at its end are dropped.
/// @errors  Denied: shorter than kMinSealingKeyOctets or kMinPassphraseOctets; Malformed: over kMaxSealingSecretOctets
[[nodiscard]] Result<Secret> parse_sealing_secret(SealingSecretKind kind, std::string_view content);

}  // namespace waxwing
