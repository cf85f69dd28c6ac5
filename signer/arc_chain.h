#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/lookup.h"
#include "policy/time_point.h"
#include "signer/body_digests.h"
#include "signer/dkim_signature.h"
#include "signer/field_index.h"
#include "signer/header_field.h"

namespace waxwing {

/// @source  RFC 8617 §4.2.1
inline constexpr unsigned kMaxArcInstance = 50;

/// Chain Validation Status. @source RFC 8617 §4.4
enum class ArcResult { None, Pass, Fail };

/// "none", "pass", "fail", as in cv= and in Authentication-Results.
[[nodiscard]] std::string_view arc_result_name(ArcResult result);

/// What became of the chain of a message.
struct ArcVerdict {
  ArcResult result = ArcResult::None;
  std::string detail;        ///< for Fail: which part of which set, and why; a phrase of printable ASCII
  unsigned instances = 0;    ///< the highest instance found; 0: none could be read
  unsigned oldest_pass = 0;  ///< for Pass: the lowest instance from which on all message signatures verify; 0: all do
  bool closed = false;       ///< the highest seal says cv=fail: nobody may add to the chain (RFC 8617 §5.1)
  bool temporary = false;  ///< for Fail: a key could not be looked up; the RFC counts that as Fail (§5.2.1), a caller
                           ///< that may ask for the message again should
  std::string sealer;      ///< d= of the highest seal; empty: it could not be read
};

/// The three fields of one instance; null where there is none.
struct ArcSet {
  const HeaderField* results = nullptr;    ///< ARC-Authentication-Results
  const HeaderField* signature = nullptr;  ///< ARC-Message-Signature
  const HeaderField* seal = nullptr;       ///< ARC-Seal
};

/// Validates the Authenticated Received Chain of one message.
///
///   ArcChain chain(header, digests);             before the body
///   digests.update(…); digests.finish();         the body passes
///   chain.validate(answers, now)                 until it returns a value
///
/// @limits  kMaxArcInstance sets, two keys each; at most that many times the octets of the header are hashed
/// @source  RFC 8617 §5.2
class ArcChain {
 public:
  /// Collects the sets and asks `digests` for the body hashes they need.
  /// @param header   all fields from the top; fields and digests are borrowed for the life of this object
  ArcChain(std::span<const HeaderField> header, BodyDigests& digests);

  /// Judges the chain, after digests.finish().
  /// @return  no value: answers.missing() lists the keys to ask for before calling again
  [[nodiscard]] std::optional<ArcVerdict> validate(Answers& answers, WallTime now) const;

 private:
  struct Link {
    ArcSet set;
    DkimSignature signature;                        ///< of the message
    std::optional<SignatureFault> signature_fault;  ///< found without looking at the body
    std::size_t digest = 0;                         ///< of digests_, unless there is a fault
    DkimSignature seal;
    std::optional<SignatureFault> seal_fault;
    std::string status;  ///< cv=
  };

  void collect(std::span<const HeaderField> header);
  void read(Link& link);
  void read_seal(Link& link);
  void note_fault(std::string detail);
  [[nodiscard]] std::string find_structural_fault() const;
  [[nodiscard]] bool ask_keys(Answers& answers) const;
  [[nodiscard]] std::optional<SignatureFault> check_message_signature(const Link& link, Answers& answers,
                                                                      WallTime now) const;
  [[nodiscard]] unsigned find_oldest_pass(Answers& answers, WallTime now) const;
  void check_seals(Answers& answers, WallTime now, ArcVerdict& verdict) const;

  FieldIndex fields_;
  BodyDigests& digests_;
  std::vector<Link> links_;  ///< by instance, from 1
  std::string fault_;        ///< the first that was met while collecting
  bool found_ = false;       ///< there is some ARC field
};

/// The sets of a header by instance, from 1 to the highest found, for sealing; instances that cannot be read are passed
/// over, and of several fields of one kind the first counts.
[[nodiscard]] std::vector<ArcSet> collect_arc_sets(std::span<const HeaderField> header);

/// Appends the relaxed canonical form of the fields of a set that a seal covers, in their order, without the seal.
/// @source  RFC 8617 §5.1.1
void append_sealed_fields(const ArcSet& set, std::string& out);

}  // namespace waxwing
