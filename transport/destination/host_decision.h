#pragma once

#include <string>
#include <string_view>

#include "transport/destination/destination_plan.h"

namespace waxwing {

/// Marks a host as not to be used now.
/// @param status  as PlannedHost::defer_status
void defer_host(PlannedHost& host, std::string_view status, std::string reason);

/// Decides about a host whose facts are known: leaves out addresses that may not be used, and makes its requirement, that
/// of options.route where there is one.
/// @param cache_failure  why kept MTA-STS policies cannot be read; empty: they can
void decide_host(PlannedHost& host, const StsFacts& sts, std::string_view cache_failure,
                 const DestinationOptions& options);

/// Whether a host has an address at which this relay itself takes mail.
[[nodiscard]] bool is_own_host(const PlannedHost& host, const std::vector<MailEndpoint>& own_endpoints);

/// Decides what becomes of mail for hosts that are all decided about, at least one: delivered, or deferred for the most
/// telling reason.
/// @param whose  of whom they are hosts, for the sentence
void decide_outcome(std::string_view whose, DestinationPlan& plan);

}  // namespace waxwing
