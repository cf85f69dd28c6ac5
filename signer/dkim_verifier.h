#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policy/lookup.h"
#include "policy/time_point.h"
#include "signer/body_digests.h"
#include "signer/dkim_result.h"
#include "signer/dkim_signature.h"
#include "signer/field_index.h"
#include "signer/header_field.h"

namespace waxwing {

/// Signatures of one message that are read; the rest is Neutral. Signers add theirs on top, so the latest come first.
inline constexpr std::size_t kMaxSignaturesRead = 50;
/// Signatures of one message for which keys are looked up: those that are well formed, in date, and fit the body.
inline constexpr std::size_t kMaxSignaturesVerified = 5;

/// What became of one DKIM-Signature.
struct DkimVerdict {
  DkimResult result = DkimResult::Neutral;
  std::string detail;       ///< a phrase for people, printable ASCII: why it does not count; for Pass what is notable
  DkimSignature signature;  ///< as far as the field could be read
  unsigned key_bits = 0;    ///< of the key that was used; 0: none could be
  bool testing = false;     ///< t=y in the key record
};

/// Verifies the DKIM signatures of one message.
///
///   DkimVerifier verifier(header, digests);      before the body
///   digests.update(…); digests.finish();         the body passes
///   verifier.verify(answers, now)                until it returns a value
///
/// @limits  kMaxSignaturesRead, kMaxSignaturesVerified; time linear in header and body
/// @source  RFC 6376 §6.1
class DkimVerifier {
 public:
  /// Reads the signatures and asks `digests` for the body hashes they need.
  /// @param header   all fields from the top; fields and digests are borrowed for the life of this object
  DkimVerifier(std::span<const HeaderField> header, BodyDigests& digests);

  /// Judges every DKIM-Signature in the order of the header, after digests.finish().
  /// @return  no value: answers.missing() lists the keys to ask for before calling again; empty: not signed
  [[nodiscard]] std::optional<std::vector<DkimVerdict>> verify(Answers& answers, WallTime now) const;

 private:
  struct Candidate {
    const HeaderField* field;
    DkimSignature signature;
    std::optional<SignatureFault> fault;  ///< found without looking at the body
    std::size_t digest = 0;               ///< of `digests_`, unless there is a fault
  };

  [[nodiscard]] static Candidate read(const HeaderField& field);
  [[nodiscard]] std::vector<DkimVerdict> judge_without_keys(WallTime now) const;
  void judge_with_key(const Answer& answer, const Candidate& candidate, DkimVerdict& verdict) const;

  FieldIndex fields_;
  BodyDigests& digests_;
  std::vector<Candidate> candidates_;
};

/// Whether the body is the one that was signed.
/// @param digest  of BodyDigests for the canonical form and length of the signature
/// @return        what is wrong; no value: nothing
/// @source  RFC 6376 §3.5 (l=) and §6.1.3
[[nodiscard]] std::optional<SignatureFault> check_body(const DkimSignature& signature,
                                                       const BodyDigests::Digest& digest);

/// The octets that a signature over header fields was made over: the fields it names and its own field without b=.
/// @source  RFC 6376 §3.7
[[nodiscard]] std::string signed_header_octets(const FieldIndex& fields, const HeaderField& field,
                                               const DkimSignature& signature);

}  // namespace waxwing
