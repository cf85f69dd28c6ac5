#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "relay/config/config.h"

namespace waxwing {

/// Sources and pools as they are used: where none is configured, the one that stands for it.
struct EgressLayout {
  std::vector<EgressSourceConfig> sources;  ///< at least one
  std::vector<EgressPoolConfig> pools;      ///< at least one
  std::string default_pool;
  bool is_configured = false;  ///< false: the one source is that of egress.source_addresses and hostname
};
[[nodiscard]] EgressLayout egress_layout(const Config& config);

/// Decides from which pool mail of a tenant for a recipient domain leaves: that of the nearest rule that fits, as
/// preflight_mode() tells which is nearer; without a rule, the default pool. An empty tenant stands for the relay itself,
/// and only rules without a tenant fit it.
[[nodiscard]] std::string_view egress_pool(const EgressLayout& layout, const std::vector<EgressRule>& rules,
                                           std::string_view tenant, const DomainName& recipient_domain);

/// Public addresses of all sources from which mail of a tenant may leave, whatever the recipients, sorted; those of
/// egress.addresses where no source is configured.
[[nodiscard]] std::vector<IpAddress> egress_addresses_of(const Config& config, std::string_view tenant);

/// What receivers see of a source.
[[nodiscard]] inline const std::vector<IpAddress>& public_addresses(const EgressSourceConfig& source) {
  return source.public_addresses.empty() ? source.addresses : source.public_addresses;
}

/// Fills in what sources leave to the rest of the configuration: their host name, and Config::egress_addresses.
void complete_egress(Config& config);

/// Name of the source and of the pool that stand for what is not configured.
inline constexpr std::string_view kDefaultEgress = "default";

}  // namespace waxwing
