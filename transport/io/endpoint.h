#pragma once

#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <string>

#include "policy/ip_address.h"
#include "policy/result.h"

namespace waxwing {

/// Where a socket listens or connects to.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// "192.0.2.1:25", "[2001:db8::1]:25".
  [[nodiscard]] std::string str() const;

  /// As the socket calls want it.
  [[nodiscard]] sockaddr_storage to_socket_address() const;

  /// @errors  Malformed: neither IPv4 nor IPv6
  [[nodiscard]] static Result<Endpoint> from_socket_address(const sockaddr_storage& address);

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace waxwing
