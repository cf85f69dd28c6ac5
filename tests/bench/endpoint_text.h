#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "policy/ip_address.h"
#include "transport/io/endpoint.h"

namespace waxwing::bench {

/// Reads "127.0.0.1:25" or "[::1]:25".
[[nodiscard]] inline Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Endpoint endpoint;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  const auto address = IpAddress::parse(host);
  if (port.empty() || error != std::errc() || end != port.data() + port.size() || !address) {
    return fail(ErrorKind::Malformed, "'" + std::string(text) + "' is not ADDRESS:PORT");
  }
  endpoint.address = *address;
  return endpoint;
}

}  // namespace waxwing::bench
