#include "transport/destination/host_decision.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

using Method = TlsRequirement::Method;

// A policy that is kept but cannot be read may be an enforced one; only DANE under a secure MX RRset goes before it.
bool needs_unknown_policy(const PlannedHost& host, const StsFacts& sts, std::string_view cache_failure,
                          const TlsDemands& demands) {
  if (sts.policy || cache_failure.empty() || host.requirement.method == Method::Defer) return false;
  if (demands.sets_policy_aside()) return false;
  return host.requirement.method != Method::Dane || host.facts.mx_status != Answer::Status::Secure;
}

// What helps the reader most: a fault of ours, a refusal by policy, then a lookup that failed, then a host that cannot
// be reached at all, then one that leads back to us.
int telling_rank(const PlannedHost& host) {
  if (host.defer_status == "4.3.0") return -1;
  if (host.defer_status == "4.7.5") return 0;
  if (host.defer_status == "4.4.3") return 1;
  return host.defer_status == "4.4.4" ? 2 : 3;
}

}  // namespace

void defer_host(PlannedHost& host, std::string_view status, std::string reason) {
  host.requirement = {};
  host.requirement.method = Method::Defer;
  host.requirement.reason = std::move(reason);
  host.defer_status = status;
}

void decide_host(PlannedHost& host, const StsFacts& sts, std::string_view cache_failure,
                 const DestinationOptions& options) {
  const bool found = !host.addresses.empty();
  // A host that the operator names may well be inside his own network, and it must prove its name in any case.
  const bool anywhere = options.allow_non_global_addresses || (options.route && !options.route->mx_domain);
  if (!anywhere) {
    std::erase_if(host.addresses, [](const IpAddress& address) { return !address.is_global(); });
  }
  const Answer::Status status = host.facts.address_status;
  const bool lookup_failed = status == Answer::Status::Bogus || status == Answer::Status::Failed ||
                             (host.facts.tlsa && (host.facts.tlsa->status == Answer::Status::Bogus ||
                                                  host.facts.tlsa->status == Answer::Status::Failed));
  if (!lookup_failed && host.addresses.empty()) {
    return defer_host(host, "4.4.4",
                      found ? fmt::format("{} has only addresses that are not global (RFC 6890 §2.2).", host.name)
                            : fmt::format("{} has no address (RFC 5321 §5.1).", host.name));
  }
  host.requirement = options.route ? decide_route_requirement(host.facts, sts, options.demands, options.route->tls)
                                   : decide_tls_requirement(host.facts, sts, options.demands);
  if (needs_unknown_policy(host, sts, cache_failure, options.demands)) {
    return defer_host(host, "4.3.0",
                      fmt::format("Mail for {} waits: the kept MTA-STS policies cannot be read: {} (RFC 8461 §5.1).",
                                  sts.domain, cache_failure));
  }
  if (host.requirement.method == Method::Defer) host.defer_status = lookup_failed ? "4.4.3" : "4.7.5";
}

bool is_own_host(const PlannedHost& host, const std::vector<MailEndpoint>& own_endpoints) {
  return std::ranges::any_of(host.addresses, [&](const IpAddress& address) {
    return std::ranges::find(own_endpoints, MailEndpoint{address, host.port}) != own_endpoints.end();
  });
}

void decide_outcome(std::string_view whose, DestinationPlan& plan) {
  const auto usable = [](const PlannedHost& host) { return host.requirement.method != Method::Defer; };
  if (const auto count = std::ranges::count_if(plan.hosts, usable); count > 0) {
    plan.outcome = DestinationPlan::Outcome::Deliver;
    plan.reason = fmt::format("{} of {} hosts of {} can be used now (RFC 5321 §5.1).", count, plan.hosts.size(), whose);
    return;
  }
  const PlannedHost& telling = *std::ranges::min_element(plan.hosts, {}, telling_rank);
  plan.outcome = DestinationPlan::Outcome::Defer;
  plan.status = telling.defer_status;
  plan.reason = telling.requirement.reason;
}

}  // namespace waxwing
