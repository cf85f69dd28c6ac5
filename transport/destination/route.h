#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/route_requirement.h"

namespace waxwing {

/// A host to which the operator has mail sent.
struct NextHop {
  std::string name;                    ///< lower case A-labels; empty: `address`
  std::optional<IpAddress> address{};  ///< without a lookup
  std::uint16_t port = 25;

  /// "smtp.example.net", "[192.0.2.1]", "[2001:db8::1]".
  [[nodiscard]] std::string host() const;
};

/// Where mail goes by the operator's word instead of the MX records of its recipients' domain. Immutable once made.
struct Route {
  enum class TlsStart { StartTls, Implicit };

  RouteTls tls;                           ///< its name, and what its hosts must prove
  std::vector<NextHop> hops{};            ///< in the order in which to try; empty: by the MX of `mx_domain`
  std::optional<DomainName> mx_domain{};  ///< whose mail hosts take this mail
  std::uint16_t mx_port = 25;             ///< of those
  TlsStart tls_start = TlsStart::StartTls;
};

inline constexpr std::size_t kMaxNextHops = 20;

}  // namespace waxwing
