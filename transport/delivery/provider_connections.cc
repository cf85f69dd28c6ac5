#include "transport/delivery/provider_connections.h"

#include "policy/domain_name.h"

namespace waxwing {

std::string ProviderConnections::provider_of(const std::string& mx_name) const {
  const auto name = DomainName::parse(mx_name);
  const auto registrable = name ? suffixes_.registrable_domain(*name) : std::nullopt;
  return registrable ? registrable->str() : mx_name;
}

bool ProviderConnections::take(const std::string& provider) {
  const std::lock_guard lock(mutex_);
  std::size_t& count = counts_[provider];  // `most_` is at least 1, so that what is added here counts at least 1 below
  if (count >= most_) return false;
  ++count;
  return true;
}

void ProviderConnections::give_back(const std::string& provider) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(provider);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

std::size_t ProviderConnections::count(const std::string& provider) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(provider);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace waxwing
