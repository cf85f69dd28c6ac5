#include "transport/destination/route_plan.h"

#include <fmt/format.h>

#include <random>
#include <utility>

#include "transport/destination/host_decision.h"
#include "transport/destination/host_discovery.h"

namespace waxwing {
namespace {

// What the operator wrote is as certain as a secure MX RRset (RFC 7672 §2.1), and an address that he wrote needs no
// lookup.
PlannedHost named_host(const NextHop& hop, std::uint16_t preference) {
  PlannedHost host;
  host.name = hop.host();
  host.preference = preference;
  host.port = hop.port;
  host.facts.mx_name = host.facts.expanded_name = host.facts.next_hop_domain = host.name;
  host.facts.mx_status = Answer::Status::Secure;
  host.facts.address_status = Answer::Status::Insecure;
  if (hop.address) host.addresses = {*hop.address};
  return host;
}

}  // namespace

std::string NextHop::host() const {
  return address ? fmt::format("[{}]", address->str()) : name;
}

std::optional<DestinationPlan> plan_next_hops(const DestinationOptions& options, Answers& answers) {
  const Route& route = *options.route;
  std::mt19937_64 random(options.shuffle_seed);
  DestinationPlan plan;
  plan.sts_detail = "MTA-STS does not matter, since a route names the hosts";
  bool complete = true;
  for (const NextHop& hop : route.hops) {  // all of them, so that all questions are asked at once
    PlannedHost host = named_host(hop, static_cast<std::uint16_t>(plan.hosts.size() + 1));
    if (!hop.address) {
      auto discovered = discover_host(host.facts, hop.port, answers, random);
      complete = complete && discovered.has_value();
      if (discovered) {
        host.facts = std::move(discovered->facts);
        host.addresses = std::move(discovered->addresses);
      }
    }
    plan.hosts.push_back(std::move(host));
  }
  if (!complete) return std::nullopt;
  for (PlannedHost& host : plan.hosts) {
    if (is_own_host(host, options.own_endpoints)) {
      defer_host(host, "4.4.6",
                 fmt::format("Route '{}' is not used by {}, which is this relay itself.", route.tls.route, host.name));
    } else {
      decide_host(host, plan.sts, {}, options);
    }
  }
  decide_outcome(fmt::format("route '{}'", route.tls.route), plan);
  plan.route = route.tls.route;
  return plan;
}

void plan_as_route(const Route& route, DestinationPlan& plan) {
  plan.route = route.tls.route;
  plan.reason =
      fmt::format("Route '{}' goes by the MX records of {}: {}", route.tls.route, route.mx_domain->str(), plan.reason);
  if (plan.outcome != DestinationPlan::Outcome::Bounce) return;
  plan.outcome = DestinationPlan::Outcome::Defer;
  plan.status[0] = '4';
}

}  // namespace waxwing
