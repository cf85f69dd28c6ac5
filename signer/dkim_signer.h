#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keys/key_store.h"
#include "policy/dkim_key_record.h"
#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "signer/canonical.h"
#include "signer/field_choice.h"
#include "signer/header_field.h"

namespace waxwing {

/// Fields that are signed as often as they occur and once more, so that nobody can add another one on the way: those
/// that people see, and those that decide how the message is read.
/// @source  RFC 6376 §5.4 and §8.15
[[nodiscard]] std::vector<std::string> default_oversigned_fields();

/// Fields that are signed where they occur but may be added later: Resent-*, because resending adds them on top, and
/// the descriptive Content-*.
/// @source  RFC 6376 §5.4.1
[[nodiscard]] std::vector<std::string> default_signed_fields();

struct DkimSigningOptions {
  Canonicalization header_canonicalization = Canonicalization::Relaxed;
  Canonicalization body_canonicalization = Canonicalization::Relaxed;
  std::vector<std::string> oversigned_fields = default_oversigned_fields();
  std::vector<std::string> signed_fields = default_signed_fields();
  WallTime now;                              ///< t=, rounded down to seconds; from 1970 on
  Seconds lifetime = std::chrono::days(14);  ///< x= minus t=; longer than a message may stay queued; 0: no x=
  std::string tenant;                        ///< whose message it is, for Signer::sign_for()
};

/// A signature before the key has been used: the key operation may run on another thread or in another process.
struct DkimSignatureDraft {
  std::string octets_to_sign;  ///< for Signer::sign_for()
  std::string field;           ///< "DKIM-Signature: …; b=", folded, without the value of b=
};

/// What all signatures of one message cover of its header.
struct SignedHeader {
  std::vector<ChosenField> fields;  ///< in the order of h=
  std::string canonical;            ///< with options.header_canonicalization
};

/// Picks the fields that the options name; see choose_fields().
/// @param header   all fields of the message, from the top
/// @param options  borrowed, as is the header, for the life of the result
/// @errors  Malformed: the message has no From, or no valid field name stands in the options
/// @limits  O(fields × names in the options + octets of the header)
[[nodiscard]] Result<SignedHeader> choose_signed_header(std::span<const HeaderField> header,
                                                        const DkimSigningOptions& options);

/// Writes everything of a signature but the value of b=. `From` is signed whether or not the options name it. There is
/// no l= (RFC 6376 §8.2), no i=, and no hash but SHA-256 (RFC 8301 §3.1).
/// @param body_hash  of BodyHasher with options.body_canonicalization
/// @param selector   as parse_selector() returns it
/// @source  RFC 6376 §3.5, §3.7 and §5
[[nodiscard]] DkimSignatureDraft prepare_dkim_signature(const SignedHeader& header, std::string_view body_hash,
                                                        const DomainName& domain, std::string_view selector,
                                                        DkimKeyType type, const DkimSigningOptions& options);

/// The field with its signature, folded at 78 columns, ended by CRLF; to be put in front of the message.
/// @param signature  raw octets of Signer::sign_for()
[[nodiscard]] std::string complete_dkim_signature(const DkimSignatureDraft& draft, std::string_view signature);

/// Signs with each key.
/// @return  the DKIM-Signature fields in the order of `keys`, to be put in front of the message
/// @errors  as choose_signed_header() and Signer::sign_for()
[[nodiscard]] Result<std::string> sign_message(std::span<const HeaderField> header, std::string_view body_hash,
                                               std::span<const StoredKey> keys, const DkimSigningOptions& options);

}  // namespace waxwing
