#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/dkim_key_record.h"
#include "policy/tag_list.h"
#include "policy/time_point.h"
#include "signer/canonical.h"
#include "signer/dkim_result.h"
#include "signer/header_field.h"

namespace waxwing {

/// The fields that carry a signature over a message or over a chain; their tags differ in what they ask for.
enum class SignatureField {
  Dkim,        ///< DKIM-Signature
  ArcMessage,  ///< ARC-Message-Signature: no v=, i= is the instance, From need not be signed
  ArcSeal,     ///< ARC-Seal: neither body nor list of fields
};

/// A signature as its field says it; empty where a tag is absent.
struct DkimSignature {
  std::string algorithm;  ///< a= as written when it is one that we know of, also "rsa-sha1"
  std::string domain;     ///< d= in A-labels, lower case
  std::string selector;   ///< s= in A-labels, lower case
  std::string key_owner;  ///< "<selector>._domainkey.<domain>"
  std::string identity;   ///< i= as written; "@<domain>" where it is absent
  DkimKeyType key_type = DkimKeyType::Rsa;
  Canonicalization header_canonicalization = Canonicalization::Simple;
  Canonicalization body_canonicalization = Canonicalization::Simple;
  std::vector<std::string> signed_fields;    ///< h=, lower case, in order; empty elements dropped
  std::string body_hash;                     ///< bh=, decoded
  std::string signature;                     ///< b=, decoded
  std::string signature_text;                ///< b= without white space, for header.b
  std::optional<std::uint64_t> body_length;  ///< l=
  std::optional<std::uint64_t> signed_at;    ///< t=, seconds since 1970
  std::optional<std::uint64_t> expires;      ///< x=, seconds since 1970
  bool identity_is_domain = true;            ///< the domain of i= is d= itself, as t=s of a key asks for
  std::size_t signature_begin = 0;  ///< where the value of b= stands in the field's value, white space included
  std::size_t signature_end = 0;
};

/// Reads a signature.
/// @param tags       of the value of a field of that kind
/// @param signature  filled as far as the field could be read, for reports
/// @return           what is wrong: PermError for syntax, Policy for rsa-sha1; no value: nothing
/// @source  RFC 6376 §3.5 and §6.1.1, RFC 8301 §3.1, RFC 8463 §3, RFC 8616 §4, RFC 8617 §4.1
[[nodiscard]] std::optional<SignatureFault> read_dkim_signature(const TagList& tags, SignatureField kind,
                                                                DkimSignature& signature);

/// Whether a signature has expired. A t= in the future is not held against it, which RFC 6376 §3.5 leaves open: clocks
/// differ, and it proves what it proves.
[[nodiscard]] std::optional<SignatureFault> check_expiry(const DkimSignature& signature, WallTime now);

/// Appends the canonical form of the field that carries the signature, with the value of b= left out and without its
/// final CRLF: what a signature is made over last.
/// @source  RFC 6376 §3.7
void append_unsigned_field(const HeaderField& field, const DkimSignature& signature, Canonicalization canonicalization,
                           std::string& out);

}  // namespace waxwing
