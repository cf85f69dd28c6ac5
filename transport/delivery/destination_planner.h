#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "transport/delivery/planning_clock.h"
#include "transport/delivery/sts_fetch.h"
#include "transport/destination/destination_plan.h"
#include "transport/destination/sts_cache.h"
#include "transport/dns/resolver.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// A plan, and what pooling needs to know about it.
struct PlannedDestination {
  DestinationPlan plan;
  std::vector<std::string> sharing_keys;   ///< of the requirement of each host in plan.hosts
  std::shared_ptr<const Answers> answers;  ///< every DNS fact that it stands on
};

/// Plans destinations: asks the resolver and the MTA-STS cache, fetches policies, and keeps the facts of each domain
/// for a short while, so that the rate of messages is not limited by planning. Requests for one domain that is being
/// looked up share the lookups; the plan itself is made for each set of demands from the same facts. A route has facts of
/// its own, which serve all domains whose mail it takes.
/// @limits  kMaxKnownDomains domains are kept, each for the least TTL and kMaxPlanAge; one policy fetch per domain
///          within kStsFetchInterval
class DestinationPlanner : public std::enable_shared_from_this<DestinationPlanner> {
 public:
  struct Options {
    std::uint16_t port = 25;
    bool allow_non_global_addresses = false;
    StsFetch::Options sts;
    std::vector<MailEndpoint> own_endpoints{};  ///< where this relay itself takes mail
    TlsMemory* tls_memory = nullptr;            ///< outlives the planner; nullptr: nothing is remembered
    LostTls lost_tls = LostTls::Report;
    PlanningClock clock{};
  };
  using OnPlanned = std::function<void(std::shared_ptr<const PlannedDestination>)>;

  DestinationPlanner(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, StsCache& sts_cache, Options options);

  /// @param on_planned  called once; inside the call when the facts are known already
  /// @param route       nullptr: by the MX of the domain
  void plan(const DomainName& domain, const TlsDemands& demands, std::shared_ptr<const Route> route,
            OnPlanned on_planned);

  /// Makes the next plan of each domain rest on facts asked for anew. Policies that were fetched stay what they are,
  /// and so do the times of their fetches.
  void forget_facts();

 private:
  struct Facts {
    Facts(std::string its_key, DomainName its_domain, std::shared_ptr<const Route> its_route)
        : key(std::move(its_key)), domain(std::move(its_domain)), route(std::move(its_route)) {}
    std::string key;
    DomainName domain;  // whose MX counts; of a route with hosts: for which it was asked first
    std::shared_ptr<const Route> route;
    std::shared_ptr<Answers> answers = std::make_shared<Answers>();
    StsState sts;
    std::optional<RememberedTls> remembered;
    bool loss_told = false;
    std::uint64_t seed = 0;
    int rounds = 0;
    int outstanding = 0;  // the questions, the fetch
    MonotonicTime expires{};
    std::map<TlsDemands, std::shared_ptr<const PlannedDestination>> plans;
    std::vector<std::pair<TlsDemands, OnPlanned>> waiting;
    std::shared_ptr<StsFetch> fetch;
  };
  using FactsPointer = std::shared_ptr<Facts>;
  struct FetchRecord {
    MonotonicTime not_before;
    std::string failure;
    TlsResultType result = TlsResultType::StsPolicyFetchError;  // of `failure`
    std::optional<CachedStsPolicy> policy;  // last fetched: holds even if the cache could not keep it
  };

  [[nodiscard]] MonotonicTime now() const;
  [[nodiscard]] WallTime wall_now() const;
  void ask_cache(const FactsPointer& facts);
  void on_cached(const FactsPointer& facts, Result<std::optional<CachedStsPolicy>> cached);
  void advance(const FactsPointer& facts);
  void finish(const FactsPointer& facts);
  void fetch_policy(const FactsPointer& facts, const std::string& policy_id);
  void on_fetched(const FactsPointer& facts, const std::string& policy_id, Result<std::string> body);
  void on_part_done(const FactsPointer& facts);
  [[nodiscard]] DestinationOptions options_for(const Facts& facts, const TlsDemands& demands) const;
  [[nodiscard]] std::shared_ptr<const PlannedDestination> plan_for(Facts& facts, const TlsDemands& demands);
  [[nodiscard]] Milliseconds lifetime(const Facts& facts) const;
  void remember(const FactsPointer& facts);

  EventLoop& loop_;
  Resolver& resolver_;
  TlsClientContext& tls_;
  StsCache& sts_cache_;
  const Options options_;
  std::mt19937_64 random_;
  std::map<std::string, FactsPointer> pending_;  // being looked up
  std::map<std::string, FactsPointer> known_;
  std::list<std::string> known_order_;  // oldest first
  std::map<std::string, FetchRecord> fetches_;
};

inline constexpr std::size_t kMaxKnownDomains = 10'000;
inline constexpr Milliseconds kMaxPlanAge{60'000};
inline constexpr Milliseconds kFailedPlanAge{5'000};
inline constexpr Milliseconds kStsFetchInterval{300'000};
inline constexpr Seconds kStsRefreshAge{86'400};  ///< RFC 8461 §3.3 suggests to renew policies once a day

}  // namespace waxwing
