#pragma once

#include <optional>
#include <vector>

#include "policy/domain_check.h"

namespace waxwing {

/// The part of check_domain() about the addresses from which mail leaves: each has a reverse name that leads back to
/// it, and the HELO name leads to one of them.
/// @return  as check_domain()
/// @source  RFC 5321 §4.1.4, RFC 7208 §5.5 (reverse names that are confirmed)
[[nodiscard]] std::optional<std::vector<DomainFinding>> check_egress(const DomainCheckInput& input, Answers& answers);

}  // namespace waxwing
