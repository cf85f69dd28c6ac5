#pragma once

#include <optional>
#include <string_view>

#include "policy/dkim_key_record.h"
#include "policy/domain_name.h"
#include "policy/result.h"

namespace waxwing {

/// The key that is asked to sign.
struct SigningName {
  DomainName domain;
  std::string_view selector;
  DkimKeyType type;
};

/// Whether canonical header octets are what a key may sign, so that whoever may ask for signatures cannot make a key say
/// anything else than that a message of its own domain is of its own domain:
///   - they end in one DKIM-Signature, ARC-Message-Signature or ARC-Seal, in relaxed form, that names the key and its
///     algorithm and whose b= is empty; a body is signed whole (no l=) and by its SHA-256;
///   - a DKIM-Signature covers exactly one From, all of whose authors belong to the key's domain or to one below it;
///   - a field of ARC is sealed with a key of the forwarding domain only, since it covers other people's mail.
/// @param forwarding_domain  no value: nothing is sealed
/// @errors  Denied: a rule is broken; the sentence says which
/// @limits  linear in the octets
/// @source  RFC 6376 §3.5 and §3.7, RFC 8617 §4.1
[[nodiscard]] Result<void> check_signed_octets(std::string_view octets, const SigningName& key,
                                               const std::optional<DomainName>& forwarding_domain);

}  // namespace waxwing
