#pragma once

#include <vector>

#include "policy/ip_address.h"
#include "relay/config/config.h"

namespace waxwing {

/// Addresses of this machine's network interfaces, loopback included; empty if they cannot be told.
[[nodiscard]] std::vector<IpAddress> local_addresses();

/// Addresses at which mail for other hosts would come back to this relay: those of listeners on the port of receiving
/// hosts, those of `local` for a listener on every address, and the egress addresses where such a listener is reached
/// from outside, since a NAT may lead from them to it. None without such a listener: on port 25 of the same machine
/// there may be another mail server, which may be a receiving host.
/// @source  RFC 5321 §5.1
[[nodiscard]] std::vector<IpAddress> own_mail_addresses(const Config& config, const std::vector<IpAddress>& local);

}  // namespace waxwing
