#include "relay/config/route_choice.h"

namespace waxwing {

RouteChoice::RouteChoice(const Config& config) {
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const RouteConfig& route = config.routes[i];
    direct_.push_back(route.direct);
    for (const std::string& domain : route.domains) by_domain_[domain].emplace_back(route.tenant, i);
  }
}

std::optional<std::size_t> RouteChoice::find(std::string_view tenant, const DomainName& recipient_domain) const {
  std::string_view name = recipient_domain.str();
  std::string domain(name);
  for (;;) {
    if (const auto place = find_exactly(domain, tenant)) return direct_[*place] ? std::nullopt : place;
    if (domain == "*") return std::nullopt;
    const std::size_t dot = name.find('.');
    name = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
    domain = name.empty() ? "*" : "*." + std::string(name);
  }
}

std::optional<std::size_t> RouteChoice::find_exactly(const std::string& domain, std::string_view tenant) const {
  const auto found = by_domain_.find(domain);
  if (found == by_domain_.end()) return std::nullopt;
  std::optional<std::size_t> of_anybody;
  for (const auto& [its_tenant, place] : found->second) {
    if (its_tenant.empty()) of_anybody = place;
    if (!its_tenant.empty() && its_tenant == tenant) return place;
  }
  return of_anybody;
}

}  // namespace waxwing
