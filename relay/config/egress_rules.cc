#include "relay/config/egress_rules.h"

#include <algorithm>
#include <set>
#include <utility>

#include "relay/config/rule_domain.h"

namespace waxwing {
namespace {

// Without a domain it is for those that no rule names.
std::string_view pool_by_rules(const EgressLayout& layout, const std::vector<EgressRule>& rules,
                               std::string_view tenant, const DomainName* domain) {
  std::string_view pool = layout.default_pool;
  std::pair<std::size_t, bool> nearness{0, false};
  for (const EgressRule& rule : rules) {
    if (!rule.tenant.empty() && rule.tenant != tenant) continue;
    if (domain == nullptr ? !rule.domain.empty() : !rule_covers(rule.domain, *domain)) continue;
    // Of domains that all cover the recipient's, the one with more octets has more labels.
    const std::pair candidate{rule.domain.size(), !rule.tenant.empty()};
    if (candidate < nearness) continue;
    nearness = candidate;
    pool = rule.pool;
  }
  return pool;
}

void sort_out(std::vector<IpAddress>& addresses) {
  std::ranges::sort(addresses);
  const auto repeated = std::ranges::unique(addresses);
  addresses.erase(repeated.begin(), repeated.end());
}

}  // namespace

EgressLayout egress_layout(const Config& config) {
  EgressLayout layout{config.egress_sources, config.egress_pools, config.default_pool, !config.egress_sources.empty()};
  if (layout.sources.empty()) {
    EgressSourceConfig& only = layout.sources.emplace_back();
    only.name = kDefaultEgress;
    only.addresses = config.source_addresses;
    only.public_addresses = config.egress_addresses;
    only.helo_name = config.hostname;
  }
  if (layout.pools.empty()) {
    EgressPoolConfig& only = layout.pools.emplace_back();
    only.name = kDefaultEgress;
    for (const EgressSourceConfig& source : layout.sources) only.sources.push_back({source.name, 1});
  }
  if (layout.default_pool.empty()) layout.default_pool = layout.pools.front().name;
  return layout;
}

std::string_view egress_pool(const EgressLayout& layout, const std::vector<EgressRule>& rules, std::string_view tenant,
                             const DomainName& recipient_domain) {
  return pool_by_rules(layout, rules, tenant, &recipient_domain);
}

// The domains of rules stand for all: each other one gets the pool of the nearest of them above it, or that of none.
std::vector<IpAddress> egress_addresses_of(const Config& config, std::string_view tenant) {
  if (config.egress_sources.empty()) return config.egress_addresses;
  const EgressLayout layout = egress_layout(config);
  std::set<std::string_view> pools = {pool_by_rules(layout, config.egress_rules, tenant, nullptr)};
  for (const EgressRule& rule : config.egress_rules) {
    const auto domain = DomainName::parse(rule.domain);
    if (domain) pools.insert(pool_by_rules(layout, config.egress_rules, tenant, &*domain));
  }
  std::set<std::string_view> sources;
  for (const EgressPoolConfig& pool : layout.pools) {
    if (!pools.contains(pool.name)) continue;
    for (const EgressShare& share : pool.sources) sources.insert(share.source);
  }
  std::vector<IpAddress> addresses;
  for (const EgressSourceConfig& source : layout.sources) {
    if (!sources.contains(source.name)) continue;
    const std::vector<IpAddress>& seen = public_addresses(source);
    addresses.insert(addresses.end(), seen.begin(), seen.end());
  }
  sort_out(addresses);
  return addresses;
}

void complete_egress(Config& config) {
  for (EgressSourceConfig& source : config.egress_sources) {
    if (source.helo_name.empty()) source.helo_name = config.hostname;
    const std::vector<IpAddress>& seen = public_addresses(source);
    config.egress_addresses.insert(config.egress_addresses.end(), seen.begin(), seen.end());
  }
  if (!config.egress_sources.empty()) sort_out(config.egress_addresses);
}

}  // namespace waxwing
