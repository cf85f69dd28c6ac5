#include "transport/delivery/delivery_agent.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "transport/delivery/connection_pool.h"
#include "transport/delivery/delivery_attempt.h"
#include "transport/delivery/destination_planner.h"

namespace waxwing {

struct DeliveryAgent::State {
  State(EventLoop& its_loop, Resolver& resolver, TlsClientContext& its_tls, StsCache& sts_cache, Options its_options)
      : loop(its_loop),
        tls(its_tls),
        options(std::move(its_options)),
        planner(std::make_shared<DestinationPlanner>(loop, resolver, tls, sts_cache, planner_options())),
        pool(loop, tls, pool_options()) {}

  [[nodiscard]] DestinationPlanner::Options planner_options() const {
    return {
        options.port,
        options.allow_non_global_addresses,
        StsFetch::Options{{options.sts_port, options.allow_non_global_addresses, options.source_addresses}, "waxwing"},
        options.own_endpoints,
        options.tls_memory,
        options.lost_tls,
        options.clock};
  }

  void remember(const DomainName& domain, const DeliveryReport& report) const {
    if (options.tls_memory == nullptr || report.proven != TlsLevel::Authenticated) return;
    const bool taken = std::ranges::find(report.recipients, RecipientOutcome::Kind::Delivered,
                                         &RecipientOutcome::kind) != report.recipients.end();
    if (taken) options.tls_memory->on_proven(domain, report.tls_method == "dane" ? "dane" : "mta-sts");
  }

  [[nodiscard]] DeliveryConnection::Options connection_options() const {
    return {LocalEnd{{}, options.helo_name, options.source_addresses}, options.connect_timeout, options.reply_timeout,
            options.idle_timeout};
  }

  [[nodiscard]] ConnectionPool::Options pool_options() const {
    return {options.max_connections_per_host, options.max_connections, options.max_messages_per_connection,
            connection_options(), options.providers};
  }

  void probe(const std::weak_ptr<State>& weak, const std::shared_ptr<const PlannedDestination>& planned,
             bool implicit_tls, const OnProbe& on_probe);

  EventLoop& loop;
  TlsClientContext& tls;
  const Options options;
  std::shared_ptr<DestinationPlanner> planner;
  ConnectionPool pool;
  std::uint64_t next_id = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<DeliveryAttempt>> attempts;
  std::unordered_map<std::uint64_t, std::shared_ptr<DestinationProbe>> probes;
};

DeliveryAgent::DeliveryAgent(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, StsCache& sts_cache,
                             Options options)
    : state_(std::make_shared<State>(loop, resolver, tls, sts_cache, std::move(options))) {}

DeliveryAgent::~DeliveryAgent() = default;

void DeliveryAgent::deliver(DeliveryJob job, OnReport on_report) {
  const std::uint64_t id = state_->next_id++;
  const std::weak_ptr<State> weak = state_;
  if (!job.local_end) job.local_end = std::make_shared<OneLocalEnd>(state_->connection_options().local_end);
  // The report goes out in a turn of its own: whoever gets it may start the next job or destroy the agent.
  auto on_done = [weak, id, domain = job.domain, on_report = std::move(on_report)](DeliveryReport report) {
    const auto state = weak.lock();
    if (!state) return;
    if (report.route.empty()) state->remember(domain, report);  // a route proves nothing about the domain
    state->loop.post([weak, id, on_report, report = std::move(report)] {
      const auto its_state = weak.lock();
      if (!its_state) return;
      its_state->attempts.erase(id);
      on_report(report);
    });
  };
  const auto attempt = std::make_shared<DeliveryAttempt>(state_->loop, *state_->planner, state_->pool, std::move(job),
                                                         std::move(on_done));
  state_->attempts.emplace(id, attempt);
  attempt->start(state_->options.attempt_timeout);
}

void DeliveryAgent::plan(const DomainName& domain, const TlsDemands& demands, std::shared_ptr<const Route> route,
                         OnPlan on_plan) {
  const std::weak_ptr<State> weak = state_;
  state_->planner->plan(domain, demands, std::move(route),
                        [weak, on_plan = std::move(on_plan)](const std::shared_ptr<const PlannedDestination>& planned) {
                          const auto state = weak.lock();
                          if (!state) return;
                          state->loop.post([weak, on_plan, planned] {
                            if (weak.lock()) on_plan(planned->plan, *planned->answers);
                          });
                        });
}

void DeliveryAgent::probe(const DomainName& domain, const TlsDemands& demands, std::shared_ptr<const Route> route,
                          OnProbe on_probe) {
  const std::weak_ptr<State> weak = state_;
  const bool implicit_tls = route && route->tls_start == Route::TlsStart::Implicit;
  state_->planner->plan(
      domain, demands, std::move(route),
      [weak, implicit_tls, on_probe = std::move(on_probe)](const std::shared_ptr<const PlannedDestination>& planned) {
        if (const auto state = weak.lock()) state->probe(weak, planned, implicit_tls, on_probe);
      });
}

void DeliveryAgent::State::probe(const std::weak_ptr<State>& weak,
                                 const std::shared_ptr<const PlannedDestination>& planned, bool implicit_tls,
                                 const OnProbe& on_probe) {
  const std::uint64_t id = next_id++;
  DeliveryConnection::Options connection = connection_options();
  connection.implicit_tls = implicit_tls;
  const auto started =
      probes
          .emplace(id, std::make_shared<DestinationProbe>(loop, tls, DestinationProbe::Options{std::move(connection)}))
          .first->second;
  started->start(planned->plan, [weak, id, planned, on_probe](std::vector<ProbedHost> hosts) {
    const auto state = weak.lock();
    if (!state) return;
    state->loop.post([weak, id, planned, on_probe, hosts = std::move(hosts)] {
      const auto its_state = weak.lock();
      if (!its_state) return;
      its_state->probes.erase(id);
      on_probe(planned->plan, *planned->answers, hosts);
    });
  });
}

void DeliveryAgent::forget_plans() {
  state_->planner->forget_facts();
}

std::size_t DeliveryAgent::active_jobs() const {
  return state_->attempts.size();
}

}  // namespace waxwing
