#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signer/canonical.h"

namespace waxwing {

/// The hashes of one body that the signatures of a message call for: each canonical form is computed once, however many
/// signatures there are, and hashes of its first octets (l=) fall off on the way.
///
///   Requests   request() may be called
///   Body       update() was called: no more requests
///   Complete   finish() was called: digest() may be called
///
/// @limits  time linear in the body and in the number of requests; memory constant beside the requests
/// @source  RFC 6376 §3.4.5 and §3.7
class BodyDigests {
 public:
  struct Digest {
    std::string sha256;        ///< 32 octets
    std::uint64_t octets = 0;  ///< of the canonical body that were hashed; under the length asked for if it is shorter
    std::uint64_t total = 0;   ///< of the whole canonical body
  };

  /// Asks for one hash.
  /// @param length  octets of the canonical body that count (l=); no value: all
  /// @return        what digest() takes
  [[nodiscard]] std::size_t request(Canonicalization canonicalization, std::optional<std::uint64_t> length);

  /// Takes the next octets of the body, cut anywhere.
  void update(std::string_view chunk);

  /// Ends the body.
  void finish();

  /// The hash that was asked for, after finish(). Valid as long as this object.
  [[nodiscard]] const Digest& digest(std::size_t request) const { return requests_.at(request).digest; }

 private:
  struct Request {
    Canonicalization canonicalization;
    std::uint64_t length;
    Digest digest;
  };

  /// One canonical form on its way through SHA-256.
  class Pass : public OctetSink {
   public:
    explicit Pass(Canonicalization canonicalization);
    void put(std::string_view octets) override;

    BodyCanonicalizer canonicalizer;
    std::vector<Request*> cuts;  ///< with the longest first, so that the next one due is at the end
    std::uint64_t octets = 0;

    void settle(Request& request) const;

   private:
    SHA256_CTX context_;
  };

  void begin();

  std::vector<Request> requests_;
  std::array<std::unique_ptr<Pass>, 2> passes_;  ///< by Canonicalization
  bool begun_ = false;
};

}  // namespace waxwing
