#pragma once

#include <span>
#include <string>
#include <vector>

#include "policy/ip_address.h"
#include "policy/result.h"

namespace waxwing {

/// Writes the one SPF record under which mail from some addresses passes, and all else is as it was: what the domain
/// publishes, with a term for each address at its front, where no other term can answer first or use up the lookups.
/// Two records would be an error at every receiver, so several become one, without repeated terms and with the first
/// `all`.
/// @param published  TXT records of the domain; those that are no SPF records are passed over; none: a new record
/// @param missing    addresses that do not pass; none: only several records are merged
/// @return           the record; "v=spf1 ip4:192.0.2.1 -all" where there was none
/// @errors           Malformed: a published record breaks the grammar, and it is for people to say what was meant
/// @source           RFC 7208 §3.2, §4.5 and §4.6.1
[[nodiscard]] Result<std::string> spf_record_with(std::span<const std::string> published,
                                                  std::span<const IpAddress> missing);

}  // namespace waxwing
