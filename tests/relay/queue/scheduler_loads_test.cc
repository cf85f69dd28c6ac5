#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "relay/queue/scheduler.h"

using namespace waxwing;

namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};

WaitingRecipient waiting(std::uint64_t message, std::string domain, std::string tenant) {
  return {QueueId(message), 0, std::move(domain), 0, kNow, kNow + Seconds{432'000}, std::move(tenant)};
}

template <class Load>
Load load_of(const std::vector<Load>& loads, const std::string& name, std::string Load::*member) {
  const auto found = std::ranges::find(loads, name, member);
  REQUIRE(found != loads.end());
  return *found;
}

}  // namespace

TEST_CASE("loads are told by domain and by tenant, with the attempts under way") {
  Scheduler scheduler({});
  scheduler.add(waiting(1, "a.example", "shop"));
  scheduler.add(waiting(2, "a.example", "other"));
  scheduler.add(waiting(3, "b.example", "shop"));
  scheduler.set_destination_limit("b.example", 0);
  const auto batches = scheduler.take_due(kNow, 10);
  REQUIRE(batches.size() == 2);
  const auto domains = scheduler.destination_loads();
  REQUIRE(domains.size() == 2);
  const DestinationLoad a = load_of(domains, "a.example", &DestinationLoad::domain);
  CHECK(a.recipients == 2);
  CHECK(a.active == 2);
  CHECK(a.limit == 20);
  const DestinationLoad b = load_of(domains, "b.example", &DestinationLoad::domain);
  CHECK(b.recipients == 1);
  CHECK(b.active == 0);
  CHECK(b.limit == 0);
  const auto tenants = scheduler.tenant_loads();
  REQUIRE(tenants.size() == 2);
  CHECK(load_of(tenants, "shop", &TenantLoad::tenant).recipients == 2);
  CHECK(load_of(tenants, "shop", &TenantLoad::tenant).active == 1);
  for (const DueBatch& batch : batches) scheduler.finished(batch.message, batch.domain, batch.ordinals);
  scheduler.forget(QueueId(3));
  CHECK(scheduler.destination_loads().empty());
  CHECK(scheduler.tenant_loads().empty());
}
