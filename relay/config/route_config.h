#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/ip_address.h"
#include "policy/result.h"

namespace waxwing {

/// Where mail for some domains goes in place of their MX, `[[route]]`.
struct RouteConfig {
  enum class Tls { StartTls, Implicit };
  std::string name;
  std::vector<std::string> domains;    ///< as parse_route_domain() gives them
  std::string tenant;                  ///< of the account that submits; empty: any
  bool direct = false;                 ///< by their MX after all
  std::vector<std::string> next_hops;  ///< as parse_next_hop() takes them, in the order in which to try
  bool mx = false;                     ///< the next hop is a domain whose MX counts
  Tls tls = Tls::StartTls;
  std::string ca_file;                      ///< authorities in place of the public ones and of DANE; empty: those
  std::vector<std::string> pins;            ///< base64 of SHA-256 of public keys, in place of authorities
  std::string user;                         ///< empty: there is no login
  std::string password_file;                ///< of `user`
  std::vector<IpAddress> egress_addresses;  ///< from which receivers see its mail; empty: not known

  friend bool operator==(const RouteConfig&, const RouteConfig&) = default;
};

/// Reads "example.org" (that domain), "*.example.org" or ".example.org" (all below it, not itself), "*" (all).
/// @return  "example.org", "*.example.org" or "*", lower case, A-labels
/// @errors  Malformed: none of these
[[nodiscard]] Result<std::string> parse_route_domain(std::string_view text);

/// A next hop as it stands in the configuration.
struct NextHopText {
  std::string name;  ///< lower case A-labels; empty: `address`
  std::optional<IpAddress> address{};
  std::optional<std::uint16_t> port{};  ///< no value: that of the protocol
};

/// Reads "smtp.example.net", "smtp.example.net:587", "[192.0.2.1]", "[2001:db8::1]:2525".
/// @errors  Malformed: none of these; an address stands in brackets
[[nodiscard]] Result<NextHopText> parse_next_hop(std::string_view text);

inline constexpr std::size_t kMaxRouteDomains = 10'000;
inline constexpr std::size_t kMaxRouteHops = 20;

}  // namespace waxwing
