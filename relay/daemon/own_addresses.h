#pragma once

#include <vector>

#include "policy/ip_address.h"
#include "relay/config/config.h"
#include "transport/destination/destination_plan.h"

namespace waxwing {

/// Addresses of this machine's network interfaces, loopback included; empty if they cannot be told.
[[nodiscard]] std::vector<IpAddress> local_addresses();

/// Where mail for other hosts would come back to this relay: addresses and ports of its listeners, those of `local` for a
/// listener on every address, and the egress addresses where a listener is reached from outside, since a NAT may lead
/// from them to it. On another port of the same machine there may be another mail server, which may be a receiving host.
/// @source  RFC 5321 §5.1
[[nodiscard]] std::vector<MailEndpoint> own_mail_endpoints(const Config& config, const std::vector<IpAddress>& local);

}  // namespace waxwing
