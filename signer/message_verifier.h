#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "policy/lookup.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "signer/arc_chain.h"
#include "signer/body_digests.h"
#include "signer/dkim_verifier.h"
#include "signer/message_reader.h"

namespace waxwing {

/// What the signatures of a message prove.
struct SignatureVerdicts {
  std::vector<DkimVerdict> dkim;  ///< in the order of the header; empty: not signed
  ArcVerdict arc;
};

/// Verifies the DKIM signatures and the ARC chain of a message that passes in pieces, in constant memory beside its
/// header.
class MessageVerifier {
 public:
  MessageVerifier() = default;

  /// Takes the next octets of the message (CRLF line ends, dot-stuffing removed), cut anywhere.
  /// @errors  as MessageReader::read(); the object is of no further use then
  [[nodiscard]] Result<void> feed(std::string_view chunk);

  /// Says that the message is complete.
  /// @errors  as MessageReader::finish()
  [[nodiscard]] Result<void> finish();

  /// The fields, from the top, once the header is complete. Valid as long as this object.
  [[nodiscard]] const std::vector<HeaderField>& fields() const { return reader_.fields(); }

  /// Judges everything, after finish().
  /// @return  no value: answers.missing() lists the keys to ask for before calling again
  [[nodiscard]] std::optional<SignatureVerdicts> verify(Answers& answers, WallTime now) const;

 private:
  void begin_body();

  MessageReader reader_;
  BodyDigests digests_;
  std::optional<DkimVerifier> dkim_;  ///< from the end of the header on
  std::optional<ArcChain> arc_;
};

}  // namespace waxwing
