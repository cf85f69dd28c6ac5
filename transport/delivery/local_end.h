#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "policy/ip_address.h"

namespace waxwing {

/// Our end of a connection.
struct LocalEnd {
  std::string source;                ///< what it is called; connections of different sources are never exchanged
  std::string helo_name;             ///< in EHLO
  std::vector<IpAddress> addresses;  ///< to bind to, at most one per family
  bool binds_always = false;         ///< false: towards a family without an address here, the kernel chooses one

  /// The address to bind to towards `peer`; no value: the kernel's choice.
  [[nodiscard]] std::optional<IpAddress> address_for(const IpAddress& peer) const {
    const auto found = std::ranges::find(addresses, peer.family(), &IpAddress::family);
    return found == addresses.end() ? std::nullopt : std::optional(*found);
  }

  /// Whether it may be used towards `peer`.
  [[nodiscard]] bool reaches(const IpAddress& peer) const { return !binds_always || address_for(peer).has_value(); }
};

}  // namespace waxwing
