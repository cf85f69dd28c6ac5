#include "policy/route_requirement.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

using Method = TlsRequirement::Method;

TlsRequirement defer(std::string reason) {
  TlsRequirement requirement;
  requirement.method = Method::Defer;
  requirement.reason = std::move(reason);
  return requirement;
}

// RFC 6066 §3: an address is no server name.
std::string server_name_of(const HostFacts& host) {
  return host.mx_name.starts_with('[') ? std::string() : host.mx_name;
}

TlsRequirement certificate_requirement(const HostFacts& host, const RouteTls& route, std::string_view issuer) {
  TlsRequirement requirement;
  requirement.method = Method::Pkix;
  requirement.level = TlsLevel::Verified;
  requirement.reference_identifiers = {host.mx_name};
  requirement.server_name = server_name_of(host);
  requirement.authorities = route.authorities;
  requirement.reason = fmt::format("Route '{}' demands a certificate of {} that is valid for {} (RFC 9525 §6).",
                                   route.route, issuer, host.mx_name);
  return requirement;
}

TlsRequirement pin_requirement(const HostFacts& host, const RouteTls& route) {
  TlsRequirement requirement;
  requirement.method = Method::Pin;
  requirement.level = TlsLevel::Authenticated;
  requirement.pins = route.pins;
  requirement.server_name = server_name_of(host);
  requirement.reason =
      fmt::format("Route '{}' demands that {} proves {}.", route.route, host.mx_name,
                  route.pins.size() == 1 ? "the pinned key" : fmt::format("one of {} pinned keys", route.pins.size()));
  return requirement;
}

// What DANE and public authorities can do, and what stands in the way, is decided as for any other host.
TlsRequirement requirement_by_dns(const HostFacts& host, const StsFacts& sts, const RouteTls& route) {
  TlsRequirement requirement = decide_tls_requirement(host, sts, {TlsLevel::Verified, TlsRequest::None, {}});
  if (requirement.method == Method::Defer) {
    requirement.reason = fmt::format("Route '{}': {}", route.route, requirement.reason);
  } else if (requirement.method == Method::Pkix && requirement.level == TlsLevel::Verified) {
    requirement = certificate_requirement(host, route, "a public authority");
  } else {
    requirement.reason = fmt::format("Route '{}' demands verified TLS. {}", route.route, requirement.reason);
  }
  return requirement;
}

TlsRequirement requirement_of_exception(const HostFacts& host, const TlsException& exception, const RouteTls& route) {
  TlsRequirement requirement;
  requirement.method = Method::Opportunistic;
  requirement.server_name = server_name_of(host);
  requirement.reason = fmt::format(
      "An exception of this relay for the recipient domain expires on {} ({}): on route '{}' any TLS session with {} "
      "is "
      "accepted, its certificate is not looked at.",
      fmt::format("{:%Y-%m-%d}", std::chrono::floor<Seconds>(exception.expires)), exception.reason, route.route,
      host.mx_name);
  return requirement;
}

// The sentence why a name from MX records is not good enough; empty: it is, or the name was not looked up.
std::string doubt_about_name(const HostFacts& host, const TlsRequirement& requirement, const TlsDemands& demands,
                             const RouteTls& route) {
  const bool required = demands.request == TlsRequest::Required;
  if (!route.by_mx || (!route.logs_in && !required)) return {};
  if (requirement.level == TlsLevel::Authenticated || host.mx_status == Answer::Status::Secure) return {};
  return fmt::format(
      "Route '{}' {}, and neither DNSSEC nor an enforced MTA-STS policy says that {} is a host of {} (RFC 8689 "
      "§4.2.1).",
      route.route, required ? "carries a message that asks for REQUIRETLS" : "logs in", host.mx_name,
      host.next_hop_domain);
}

}  // namespace

TlsRequirement decide_route_requirement(const HostFacts& host, const StsFacts& sts, const TlsDemands& demands,
                                        const RouteTls& route) {
  TlsRequirement by_dns = requirement_by_dns(host, sts, route);
  const bool location_known =
      host.address_status <= Answer::Status::Insecure && host.mx_status <= Answer::Status::Insecure;
  if (!location_known) return by_dns;
  const bool excepted = demands.exception && demands.request != TlsRequest::Required;
  if (excepted && !route.logs_in && demands.exception->level < TlsLevel::Verified)
    return requirement_of_exception(host, *demands.exception, route);
  const bool sts_refuses = sts.policy && sts.policy->mode == StsMode::Enforce && !sts.policy->covers(host.mx_name);
  TlsRequirement requirement;
  if (!route.pins.empty()) {
    requirement = pin_requirement(host, route);
  } else if (route.authorities && !sts_refuses) {
    requirement = certificate_requirement(host, route, "the authorities of its ca_file");
  } else {
    requirement = std::move(by_dns);
  }
  if (requirement.method == Method::Defer) return requirement;
  if (std::string doubt = doubt_about_name(host, requirement, demands, route); !doubt.empty())
    return defer(std::move(doubt));
  if (requirement.level >= demands.minimum || excepted) return requirement;
  return defer(fmt::format("A rule of this relay asks for level {}, but on route '{}' {} can only reach {}: {}",
                           tls_level_name(demands.minimum), route.route, host.mx_name,
                           tls_level_name(requirement.level), requirement.reason));
}

}  // namespace waxwing
