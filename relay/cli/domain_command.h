#pragma once

#include <vector>

#include "policy/domain_check.h"
#include "policy/domain_name.h"
#include "relay/cli/output.h"

namespace waxwing {

/// Prints what was found about a domain, a line for each finding and below it the record to publish, as a line of a
/// zone file; as JSON one object for all.
void print_domain_check(const DomainName& domain, const std::vector<DomainFinding>& findings, Output& output);

}  // namespace waxwing
