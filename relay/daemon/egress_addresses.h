#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "policy/ip_address.h"
#include "relay/config/config.h"
#include "relay/config/egress_rules.h"

namespace waxwing {

/// egress_addresses_of(), remembered for each tenant, since every message asks. Of one thread.
class EgressAddresses {
 public:
  /// @param config  must outlive it
  explicit EgressAddresses(const Config& config) : config_(config) {}

  /// @return  valid until the next call
  [[nodiscard]] const std::vector<IpAddress>& of(const std::string& tenant) {
    const auto found = known_.find(tenant);
    if (found != known_.end()) return found->second;
    if (known_.size() >= kMaxTenants) known_.clear();
    return known_[tenant] = egress_addresses_of(config_, tenant);
  }

 private:
  static constexpr std::size_t kMaxTenants = 10'000;

  const Config& config_;
  std::unordered_map<std::string, std::vector<IpAddress>> known_;
};

}  // namespace waxwing
