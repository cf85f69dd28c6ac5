#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/domain_name.h"
#include "relay/config/config.h"

namespace waxwing {

/// Which route mail takes: of all that fit, the one with the most exact domain (the domain itself, then the longest one
/// above it, then "*"), and of those with the same domain the one with a tenant.
class RouteChoice {
 public:
  explicit RouteChoice(const Config& config);

  /// @return  place in Config::routes; no value: none fits, or the one that does is direct
  [[nodiscard]] std::optional<std::size_t> find(std::string_view tenant, const DomainName& recipient_domain) const;

 private:
  // Of the routes for a domain as parse_route_domain() gives it, the one for the tenant; no value: none is.
  [[nodiscard]] std::optional<std::size_t> find_exactly(const std::string& domain, std::string_view tenant) const;

  std::vector<bool> direct_;                                                                     // by place
  std::unordered_map<std::string, std::vector<std::pair<std::string, std::size_t>>> by_domain_;  // tenant, place
};

}  // namespace waxwing
