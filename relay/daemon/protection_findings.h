#pragma once

#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "transport/delivery/destination_probe.h"
#include "transport/destination/destination_plan.h"

namespace waxwing {

/// What keeps DANE from protecting mail to a domain, as sentences with the RFC section; empty: every host is
/// authenticated by it.
/// @param hosts  sessions with the hosts of the plan, which was made without exceptions
/// @source  RFC 7672 §2.2
[[nodiscard]] std::vector<std::string> dane_findings(const DomainName& domain, const DestinationPlan& plan,
                                                     const std::vector<ProbedHost>& hosts);

/// What keeps MTA-STS from protecting mail to a domain; ditto.
/// @param hosts  sessions in which each host had to show a certificate by a public authority for its MX name, whatever
///               its domain publishes
/// @source  RFC 8461 §4
[[nodiscard]] std::vector<std::string> sts_findings(const DomainName& domain, const DestinationPlan& plan,
                                                    const std::vector<ProbedHost>& hosts);

}  // namespace waxwing
