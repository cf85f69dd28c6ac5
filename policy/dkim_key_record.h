#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

enum class DkimKeyType { Rsa, Ed25519 };

/// "rsa", "ed25519" (the k= tag); with "-sha256" appended the a= tag.
[[nodiscard]] std::string_view dkim_key_type_name(DkimKeyType type);

/// A key record of `<selector>._domainkey.<domain>`.
struct DkimKeyRecord {
  DkimKeyType type = DkimKeyType::Rsa;
  std::string public_key;  ///< decoded p=: SubjectPublicKeyInfo (or RSAPublicKey) DER for rsa, 32 octets for ed25519
  std::vector<std::string> hashes;    ///< h=, lower case; empty: all allowed
  std::vector<std::string> services;  ///< s=; empty: all
  bool testing = false;               ///< t=y
  bool same_domain = false;           ///< t=s: i= must equal d=
  bool revoked = false;               ///< p= is empty

  /// Reads one TXT record.
  /// @errors  Malformed: not a tag list, v= not first or not DKIM1, no p=, p= not base64, k= unknown
  /// @source  RFC 6376 §3.6.1, RFC 8463 §3
  [[nodiscard]] static Result<DkimKeyRecord> parse(std::string_view txt);
};

/// The record to publish for a public key: "v=DKIM1; k=rsa; p=…", "v=DKIM1; k=ed25519; p=…".
/// @param public_key  SubjectPublicKeyInfo DER for rsa, 32 octets for ed25519
[[nodiscard]] std::string format_dkim_key_record(DkimKeyType type, std::string_view public_key);

}  // namespace waxwing
