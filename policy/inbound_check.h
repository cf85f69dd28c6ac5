#pragma once

#include <optional>
#include <vector>

#include "policy/domain_check.h"

namespace waxwing {

/// The part of check_domain() about mail to the domain: MX, MTA-STS, TLSRPT, and TLSA of each MX host. What is absent
/// is advice, since mail goes out without it; what is there and does not work is wrong.
/// @return  as check_domain()
/// @source  RFC 7505 §4.2, RFC 8461 §3, RFC 8460 §3, RFC 7672 §2.2 and §3.1
[[nodiscard]] std::optional<std::vector<DomainFinding>> check_inbound(const DomainCheckInput& input, Answers& answers);

}  // namespace waxwing
