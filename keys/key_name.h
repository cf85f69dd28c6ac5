#pragma once

#include <string>
#include <string_view>

#include "policy/domain_name.h"
#include "policy/result.h"

namespace waxwing {

/// Reads a selector as people write it: one or more labels of letters, digits and inner hyphens, joined by dots;
/// U-labels become A-labels and case is folded. The result is safe as a file name.
/// @errors  Malformed: empty, an empty or too long label, an underscore or another octet that the grammar forbids, a
///          hyphen at the start or end of a label
/// @source  RFC 6376 §3.1 (sub-domain of RFC 5321 §4.1.2), RFC 8616 §4
[[nodiscard]] Result<std::string> parse_selector(std::string_view text);

/// The DNS name of a key record: "<selector>._domainkey.<domain>".
/// @param selector  as parse_selector() returns it
/// @errors  Malformed: the name would be longer than the 253 octets that DNS allows
/// @source  RFC 6376 §3.6.2.1
[[nodiscard]] Result<std::string> key_record_name(std::string_view selector, const DomainName& domain);

}  // namespace waxwing
