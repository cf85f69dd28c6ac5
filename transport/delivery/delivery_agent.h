#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "transport/delivery/delivery_job.h"
#include "transport/delivery/destination_probe.h"
#include "transport/delivery/planning_clock.h"
#include "transport/delivery/provider_connections.h"
#include "transport/destination/destination_plan.h"
#include "transport/destination/sts_cache.h"
#include "transport/destination/tls_memory.h"
#include "transport/dns/resolver.h"
#include "transport/io/event_loop.h"
#include "transport/tls/tls_client_context.h"

namespace waxwing {

/// Delivers messages from one event loop: plans destinations, keeps connections for reuse, and reports one outcome for
/// each recipient. A kept connection carries a message only when what it has proven satisfies that message's
/// requirement.
class DeliveryAgent {
 public:
  struct Options {
    std::string helo_name;
    std::uint16_t port = 25;
    std::uint16_t sts_port = 443;
    std::vector<IpAddress> source_addresses;  ///< to bind to, at most one per family; empty: the kernel chooses
    bool allow_non_global_addresses = false;
    std::size_t max_connections_per_host = 20;
    std::size_t max_connections = 1'000;
    Milliseconds idle_timeout{2'000};  ///< a kept connection without work is closed after this
    Milliseconds connect_timeout{30'000};
    Milliseconds reply_timeout{
        300'000};  ///< for the greeting and each reply; the verdict on the content has twice as long
    std::vector<MailEndpoint> own_endpoints{};  ///< where this relay itself takes mail
    Milliseconds attempt_timeout{3'600'000};    ///< a whole attempt
    std::size_t max_messages_per_connection = 100;
    TlsMemory* tls_memory = nullptr;     ///< what was proven about domains; nullptr: nothing is remembered
    LostTls lost_tls = LostTls::Report;  ///< what to do when that is gone
    std::shared_ptr<ProviderConnections> providers{};  ///< shared with agents of other loops; nullptr: no limit
    PlanningClock clock{};
  };
  using OnReport = std::function<void(DeliveryReport)>;

  /// All references must outlive the agent, options.tls_memory too; all belong to the loop's thread.
  DeliveryAgent(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, StsCache& sts_cache, Options options);
  ~DeliveryAgent();  ///< cuts what is under way; no callback follows

  /// Starts one job; `on_report` is called exactly once, never inside this call.
  void deliver(DeliveryJob job, OnReport on_report);

  /// Plans without connecting; for `explain`. `answers` of the callback holds every DNS fact.
  using OnPlan = std::function<void(const DestinationPlan&, const Answers& answers)>;
  /// @param route  nullptr: by the MX of the domain
  void plan(const DomainName& domain, const TlsDemands& demands, std::shared_ptr<const Route> route, OnPlan on_plan);

  /// Plans, and opens a session with each host that may be used, without any mail and without a login; for `probe`.
  using OnProbe =
      std::function<void(const DestinationPlan&, const Answers& answers, const std::vector<ProbedHost>& hosts)>;
  void probe(const DomainName& domain, const TlsDemands& demands, std::shared_ptr<const Route> route, OnProbe on_probe);

  /// Makes the next plan of each domain rest on facts asked for anew.
  void forget_plans();

  /// Jobs that are under way.
  [[nodiscard]] std::size_t active_jobs() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace waxwing
