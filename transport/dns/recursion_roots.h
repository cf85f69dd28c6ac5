#pragma once

#include <string>
#include <vector>

#include "policy/ip_address.h"

namespace waxwing {

/// Where recursion begins and what it trusts.
struct RecursionRoots {
  std::string trust_anchor_file;        ///< DS or DNSKEY records in presentation form
  std::vector<IpAddress> root_servers;  ///< on port 53; empty: those of the public DNS, which libunbound knows
};

}  // namespace waxwing
