#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/dkim_key_record.h"
#include "policy/result.h"

namespace waxwing {

class Signer;

/// One of several signatures that a message gets.
struct SignatureTask {
  const Signer* key;
  std::string_view header_octets;
};

/// The port through which one key signs: its public half is known, its private half is in this process (SigningKey) or
/// in another. All functions may be called from several threads at once.
class Signer {
 public:
  Signer() = default;
  virtual ~Signer() = default;

  [[nodiscard]] virtual DkimKeyType type() const = 0;

  /// Length of the RSA modulus, or 256 for Ed25519.
  [[nodiscard]] virtual unsigned size_bits() const = 0;

  /// The public half, shaped as DkimKeyRecord::public_key.
  [[nodiscard]] virtual std::string public_key() const = 0;

  /// Signs the canonical header octets; may wait for another process.
  /// @param tenant  whose message it is; empty: the relay's own
  /// @return  the raw signature: size_bits() / 8 octets for RSA, 64 for Ed25519
  /// @errors  Unavailable: not now; Exhausted: too many signatures of this domain for now; Denied: whoever keeps the key
  ///          does not let it sign this
  /// @source  RFC 6376 §3.3.1, RFC 8463 §3
  [[nodiscard]] virtual Result<std::string> sign_for(std::string_view tenant, std::string_view header_octets) const = 0;

  /// Makes several signatures of one message, where that is possible with one wait for another process.
  /// @param tasks  at least one; this key is that of the first, the others may be kept elsewhere
  /// @return  raw signatures in the order of the tasks
  /// @errors  as sign_for(), of the first that fails
  [[nodiscard]] virtual Result<std::vector<std::string>> sign_together(std::string_view tenant,
                                                                       std::span<const SignatureTask> tasks) const;

 protected:
  Signer(const Signer&) = default;
  Signer(Signer&&) = default;
  Signer& operator=(const Signer&) = default;
  Signer& operator=(Signer&&) = default;
};

}  // namespace waxwing
