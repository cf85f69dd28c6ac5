#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policy/mta_sts.h"
#include "policy/pkix.h"
#include "policy/tls_demands.h"
#include "policy/tls_requirement.h"

namespace waxwing {

/// What a route of the operator asks of the hosts that it leads to.
struct RouteTls {
  std::string route;                                  ///< its name, for sentences
  std::vector<std::string> pins{};                    ///< SHA-256 of public keys, 32 octets each; empty: none
  std::shared_ptr<const TrustAnchors> authorities{};  ///< in place of the public ones and of DANE; nullptr: those
  bool by_mx = false;    ///< the host stands in MX records rather than in the configuration
  bool logs_in = false;  ///< a password will be said to it
};

/// Decides what a host of a route must prove: a pinned key where there are some; else a certificate for its name by the
/// authorities of the route; else what DANE says, where the host has usable TLSA records in a secure zone; else a
/// certificate for its name by public authorities. So it is never less than Verified, but for an exception of the
/// recipient domain (TlsDemands::exception), which a route with a login does not know: a password goes to nobody
/// without a proof. The level is Authenticated by a pinned key, or by DANE of a configured name.
///
/// A name from MX records counts for a login, or for REQUIRETLS, only where DNSSEC or an enforced MTA-STS policy of
/// the next-hop domain vouches for it. "TLS-Required: No" does not count at all: it speaks of what recipient domains
/// publish, and the operator demands this.
/// @param host  its `mx_status` is Secure where its name stands in the configuration, which nobody can forge
/// @param sts   of the next-hop domain (RFC 8461 §3.4), for by_mx alone
/// @return      requirement whose `reason` is one sentence or two that name the route
/// @source  RFC 7672 §2.1 and §2.2, RFC 8461 §3.4, RFC 8689 §4.2.1
[[nodiscard]] TlsRequirement decide_route_requirement(const HostFacts& host, const StsFacts& sts,
                                                      const TlsDemands& demands, const RouteTls& route);

}  // namespace waxwing
