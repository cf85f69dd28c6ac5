#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/domain_name.h"

namespace waxwing {

/// Who may submit, and in whose name.
struct Account {
  std::string name;           ///< login name: 1 to 128 octets of printable ASCII without space
  std::string tenant;         ///< empty: an own tenant of the same name
  std::string password_hash;  ///< as crypt(3) writes it ("$y$…"); empty: no password opens it
  std::vector<std::string>
      allowed_senders;  ///< domains ("example.org"), subdomains ("*.example.org") or addresses; empty: any
  std::optional<std::uint32_t> uid{};       ///< local user that need not log in on a unix socket
  std::vector<std::string> certificates{};  ///< of TLS clients that are it, as parse_certificate_identity() gives them
  std::string scram_keys{};  ///< of the same password, as parse_scram_keys() reads them; empty: SCRAM does not open it
  bool declared = false;     ///< stands in the configuration file, and is changed there alone

  /// Its tenant; without one, an own of the same name.
  [[nodiscard]] const std::string& tenant_name() const { return tenant.empty() ? name : tenant; }
};

}  // namespace waxwing
