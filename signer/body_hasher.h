#pragma once

#include <openssl/sha.h>

#include <string>
#include <string_view>

#include "signer/canonical.h"

namespace waxwing {

/// Hashes a body in canonical form while it passes (the bh= tag), in constant memory.
/// @source  RFC 6376 §3.7
class BodyHasher {
 public:
  explicit BodyHasher(Canonicalization canonicalization);

  /// Takes the next octets of the body, cut anywhere.
  void update(std::string_view chunk);

  /// Ends the body.
  /// @return  SHA-256: 32 octets
  [[nodiscard]] std::string finish();

 private:
  class Sha256Sink : public OctetSink {
   public:
    Sha256Sink();
    void put(std::string_view octets) override;
    [[nodiscard]] std::string digest();

   private:
    SHA256_CTX context_;
  };

  BodyCanonicalizer canonicalizer_;
  Sha256Sink sink_;
};

}  // namespace waxwing
