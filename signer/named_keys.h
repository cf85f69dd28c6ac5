#pragma once

#include <set>
#include <string>
#include <string_view>

namespace waxwing {

/// Adds the key records that a verifier of this header will ask the DNS for: "<selector>._domainkey.<domain>" of each
/// DKIM-Signature, ARC-Message-Signature and ARC-Seal that can be read, ours and those of others.
/// @param header  fields with CRLF, as many as there are; one that cannot be read names nothing
/// @limits  linear in the octets
/// @source  RFC 6376 §3.6.2.1, RFC 8617 §4.1
void add_named_keys(std::string_view header, std::set<std::string>& names);

}  // namespace waxwing
