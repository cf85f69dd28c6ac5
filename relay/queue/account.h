#pragma once

#include <string>
#include <vector>

#include "policy/domain_name.h"

namespace waxwing {

/// Who may submit, and in whose name.
struct Account {
  std::string name;           ///< login name: 1 to 128 octets of printable ASCII without space
  std::string tenant;         ///< empty: an own tenant of the same name
  std::string password_hash;  ///< as crypt(3) writes it ("$y$…")
  std::vector<std::string>
      allowed_senders;  ///< domains ("example.org"), subdomains ("*.example.org") or addresses; empty: any
};

}  // namespace waxwing
