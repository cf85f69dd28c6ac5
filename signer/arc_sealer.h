#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keys/key_store.h"
#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "signer/arc_chain.h"
#include "signer/authentication_results.h"
#include "signer/header_field.h"

namespace waxwing {

struct ArcSealingOptions {
  std::vector<std::string> oversigned_fields = default_arc_oversigned_fields();
  std::vector<std::string> signed_fields = default_arc_signed_fields();
  WallTime now;          ///< t=, rounded down to seconds; from 1970 on
  std::string tenant{};  ///< whose message it is, for Signer::sign_for(); empty: the relay's own

  /// Fields of ARC-Message-Signature that nobody may add to: as default_oversigned_fields() of DKIM.
  [[nodiscard]] static std::vector<std::string> default_arc_oversigned_fields();
  /// Fields that are covered where they occur: as default_signed_fields() of DKIM, and DKIM-Signature. Neither
  /// Authentication-Results nor the fields of ARC may be among them (RFC 8617 §4.1.2).
  [[nodiscard]] static std::vector<std::string> default_arc_signed_fields();
};

/// A set in the making: two signatures, of which the second covers the first. The key operations may run on another
/// thread or in another process.
class ArcSetDraft {
 public:
  /// Begins the next set of a message that has passed through: everything else that changes the message, new
  /// DKIM-Signature fields included, must have been done.
  /// @param header     all fields of the message, from the top
  /// @param body_hash  of BodyHasher, relaxed
  /// @param chain      what ArcChain said of this message
  /// @param results    what this host found when the message came; the whole of it, since a set has one such field
  /// @param selector   as parse_selector() returns it
  /// @errors  Denied: the chain is closed, or has kMaxArcInstance sets already; Malformed: no valid field name in the
  ///          options
  /// @source  RFC 8617 §5.1
  [[nodiscard]] static Result<ArcSetDraft> begin(std::span<const HeaderField> header, std::string_view body_hash,
                                                 const ArcVerdict& chain, const AuthenticationResults& results,
                                                 const DomainName& domain, std::string_view selector, DkimKeyType type,
                                                 const ArcSealingOptions& options);

  /// What Signer::sign_for() signs first.
  [[nodiscard]] const std::string& message_octets() const { return message_octets_; }

  /// Takes the signature over message_octets().
  /// @return  what Signer::sign_for() signs next
  [[nodiscard]] std::string seal_octets(std::string_view message_signature);

  /// Takes the signature over seal_octets().
  /// @return  the three fields, ended by CRLF, to be put in front of the message
  [[nodiscard]] std::string complete(std::string_view seal_signature) const;

 private:
  ArcSetDraft() = default;

  std::string results_;  ///< ARC-Authentication-Results, ended by CRLF
  std::vector<std::string> message_tags_;
  std::vector<std::string> seal_tags_;
  std::string message_octets_;
  std::string earlier_sets_;  ///< canonical; empty under a chain that failed (RFC 8617 §5.1.2)
  std::string signature_;     ///< ARC-Message-Signature, ended by CRLF
};

/// Seals with one key.
/// @return  the fields to be put in front of the message; "" when the chain is closed, so that there is nothing to add
/// @errors  as ArcSetDraft::begin() and Signer::sign_for()
[[nodiscard]] Result<std::string> seal_message(std::span<const HeaderField> header, std::string_view body_hash,
                                               const ArcVerdict& chain, const AuthenticationResults& results,
                                               const StoredKey& key, const ArcSealingOptions& options);

}  // namespace waxwing
