// What the scheduler tells whoever watches.

#include <utility>

#include "relay/queue/scheduler.h"

namespace waxwing {

std::vector<DestinationLoad> Scheduler::destination_loads() const {
  std::vector<std::size_t> recipients(destinations_.all.size());
  for (const Flow& flow : flows_)
    if (flow.recipients > 0) recipients[flow.destination] += flow.recipients;
  std::vector<DestinationLoad> loads;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (recipients[i] == 0) continue;
    const Destination& destination = destinations_.all[i];
    loads.push_back({destination.name, recipients[i], destination.active, destination.limit});
  }
  return loads;
}

std::vector<TenantLoad> Scheduler::tenant_loads() const {
  std::vector<std::size_t> recipients(tenants_.all.size());
  for (const Flow& flow : flows_)
    if (flow.recipients > 0) recipients[flow.tenant] += flow.recipients;
  std::vector<TenantLoad> loads;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (recipients[i] > 0) loads.push_back({tenants_.all[i].name, recipients[i], tenants_.all[i].active});
  }
  return loads;
}

}  // namespace waxwing
