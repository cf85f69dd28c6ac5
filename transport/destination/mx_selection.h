#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "policy/lookup.h"

namespace waxwing {

/// What the MX answer of a domain says about where to send.
struct MxSelection {
  enum class Kind {
    Hosts,   ///< `hosts`, which may all have unusable names
    Defer,   ///< the lookup failed or was bogus; never read as "no MX"
    Bounce,  ///< the domain does not exist, or takes no mail
  };
  struct Host {
    std::string name;  ///< lower case A-labels; as published where `refusal` says why it is not a host name
    std::uint16_t preference = 0;
    std::string refusal;  ///< a sentence; empty: usable
  };
  Kind kind = Kind::Defer;
  std::string status;       ///< for Defer and Bounce
  std::string reason;       ///< for Defer and Bounce
  bool implicit = false;    ///< no MX record: the domain itself is the host
  std::vector<Host> hosts;  ///< in the order in which to try; at most kMaxMxHosts
};

/// Reads an MX answer: null MX, implicit MX, names that are no host names, order by preference with equal ones
/// shuffled.
/// @source  RFC 5321 §5.1, RFC 7505 §3
[[nodiscard]] MxSelection select_mx(const DomainName& domain, const Answer& mx, std::mt19937_64& random);

}  // namespace waxwing
