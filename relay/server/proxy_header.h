#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "policy/input_buffer.h"
#include "policy/ip_address.h"

namespace waxwing {

/// Reads the header of the PROXY protocol, version 1 or 2, that a load balancer sends in front of a connection.
/// @source  https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
class ProxyHeaderReader {
 public:
  enum class State {
    More,     ///< the header is not complete
    Done,     ///< client() and rest() tell
    Invalid,  ///< this is no such header: nothing of the connection can be believed
  };

  /// Takes octets as they come.
  State on_bytes(std::string_view octets);

  /// Address of the client; no value: the proxy speaks for itself (LOCAL), or does not know (UNKNOWN).
  [[nodiscard]] const std::optional<IpAddress>& client() const { return client_; }
  /// What came behind the header.
  [[nodiscard]] std::string_view rest() const { return input_.view().substr(header_octets_); }

 private:
  State read_text();
  State read_binary();

  InputBuffer input_;  ///< behind the header may stand a login
  std::size_t header_octets_ = 0;
  std::optional<IpAddress> client_;
};

/// Longest header of version 2: its 16 octets, addresses, and what proxies add (TLVs).
inline constexpr std::size_t kMaxProxyHeaderOctets = 2'048;

}  // namespace waxwing
