#include "transport/delivery/destination_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

constexpr int kMaxRounds = 12;  // plan_destination needs four
constexpr std::size_t kMaxFetchRecords = 10'000;

DestinationPlan unsettled(const DomainName& domain) {
  DestinationPlan plan;
  plan.outcome = DestinationPlan::Outcome::Defer;
  plan.status = "4.4.3";
  plan.reason = fmt::format("The DNS of {} asks for more lookups than are made (RFC 5321 §5.1).", domain.str());
  return plan;
}

// Names of routes are no domain names with this in front.
std::string key_of(const DomainName& domain, const Route* route) {
  return route == nullptr ? domain.str() : "route " + route->tls.route;
}

}  // namespace

DestinationPlanner::DestinationPlanner(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, StsCache& sts_cache,
                                       Options options)
    : loop_(loop),
      resolver_(resolver),
      tls_(tls),
      sts_cache_(sts_cache),
      options_(std::move(options)),
      random_(std::random_device{}()) {}

MonotonicTime DestinationPlanner::now() const {
  return options_.clock.now ? options_.clock.now() : loop_.now();
}

WallTime DestinationPlanner::wall_now() const {
  return options_.clock.wall_now ? options_.clock.wall_now() : loop_.wall_now();
}

void DestinationPlanner::plan(const DomainName& domain, const TlsDemands& demands, std::shared_ptr<const Route> route,
                              OnPlanned on_planned) {
  const std::string key = key_of(domain, route.get());
  if (const auto known = known_.find(key); known != known_.end() && now() < known->second->expires) {
    return on_planned(plan_for(*known->second, demands));
  }
  const auto [pending, added] = pending_.try_emplace(key);
  if (!added) {
    pending->second->waiting.emplace_back(demands, std::move(on_planned));
    return;
  }
  const DomainName& whose = route && route->mx_domain ? *route->mx_domain : domain;
  const auto facts = pending->second = std::make_shared<Facts>(key, whose, route);
  facts->seed = random_();
  facts->waiting.emplace_back(demands, std::move(on_planned));
  if (route && !route->mx_domain) return advance(facts);  // no domain has a say
  ask_cache(facts);
}

void DestinationPlanner::ask_cache(const FactsPointer& facts) {
  // A memory that cannot be read has said so itself, and takes nothing from what the domain publishes. What was proven
  // about a domain says nothing about a route.
  if (options_.tls_memory != nullptr && !facts->route)
    facts->remembered = options_.tls_memory->find(facts->domain).value_or(std::nullopt);
  sts_cache_.find(facts->domain, [weak = weak_from_this(), facts](Result<std::optional<CachedStsPolicy>> cached) {
    if (const auto self = weak.lock()) self->on_cached(facts, std::move(cached));
  });
}

// A policy once fetched holds until it expires (RFC 8461 §5.1): what this process fetched itself counts as well, since
// the cache may not have kept it yet, or not at all. A cache that cannot be read is no proof that there is no policy.
void DestinationPlanner::on_cached(const FactsPointer& facts, Result<std::optional<CachedStsPolicy>> cached) {
  const WallTime today = wall_now();
  std::optional<CachedStsPolicy>& policy = facts->sts.cached;
  if (cached && *cached && (*cached)->expires > today) policy = std::move(*cached);
  const auto record = fetches_.find(facts->domain.str());
  if (record != fetches_.end() && record->second.policy && record->second.policy->expires > today &&
      (!policy || policy->fetched < record->second.policy->fetched)) {
    policy = record->second.policy;
  }
  if (!cached && !policy) facts->sts.cache_failure = cached.error().detail;
  if (policy) {
    const Seconds half_life{policy->policy.max_age_seconds / 2};
    facts->sts.refresh_due = today - policy->fetched > std::min(half_life, kStsRefreshAge);
  }
  advance(facts);
}

DestinationOptions DestinationPlanner::options_for(const Facts& facts, const TlsDemands& demands) const {
  return {options_.port,          demands,          facts.seed,        options_.allow_non_global_addresses,
          options_.own_endpoints, facts.remembered, options_.lost_tls, facts.route};
}

void DestinationPlanner::advance(const FactsPointer& facts) {
  DestinationNeeds needs;
  const auto options =
      options_for(*facts, facts->waiting.front().first);  // what is needed does not depend on the demands
  const auto plan = plan_destination(facts->domain, options, facts->sts, *facts->answers, needs);
  if (plan || ++facts->rounds > kMaxRounds) return finish(facts);
  const bool questions = !facts->answers->missing().empty();
  facts->outstanding = (questions ? 1 : 0) + (needs.sts_fetch ? 1 : 0);
  if (needs.sts_fetch) fetch_policy(facts, needs.sts_policy_id);
  if (!questions) return;
  resolve_missing(resolver_, *facts->answers, [weak = weak_from_this(), facts] {
    if (const auto self = weak.lock()) self->on_part_done(facts);
  });
}

void DestinationPlanner::on_part_done(const FactsPointer& facts) {
  if (--facts->outstanding == 0) advance(facts);
}

// A domain whose id changes with each lookup, or whose host does not answer, must not make us fetch all the time.
void DestinationPlanner::fetch_policy(const FactsPointer& facts, const std::string& policy_id) {
  FetchRecord& record = fetches_[facts->domain.str()];
  // Without any policy in hand, a fetch that succeeded is no reason to wait: what it brought has expired since.
  const bool needed = record.failure.empty() && !facts->sts.cached;
  if (now() < record.not_before && !needed) {
    facts->sts.fetch_done = true;
    facts->sts.fetch_failure = record.failure.empty() ? "it was fetched less than five minutes ago"
                                                      : record.failure + "; tried less than five minutes ago";
    facts->sts.fetch_result = record.result;
    loop_.post([weak = weak_from_this(), facts] {
      if (const auto self = weak.lock()) self->on_part_done(facts);
    });
    return;
  }
  record.not_before = now() + kStsFetchInterval;
  record.failure.clear();
  facts->fetch = std::make_shared<StsFetch>(
      loop_, resolver_, tls_, facts->domain, options_.sts,
      [weak = weak_from_this(), weak_facts = std::weak_ptr(facts), policy_id](Result<std::string> body) {
        const auto self = weak.lock();
        const auto its_facts = weak_facts.lock();
        if (self && its_facts) self->on_fetched(its_facts, policy_id, std::move(body));
      });
  facts->fetch->start();
}

void DestinationPlanner::on_fetched(const FactsPointer& facts, const std::string& policy_id, Result<std::string> body) {
  const TlsResultType result = body                                  ? TlsResultType::StsPolicyInvalid
                               : facts->fetch->certificate_refused() ? TlsResultType::StsWebpkiInvalid
                                                                     : TlsResultType::StsPolicyFetchError;
  facts->fetch.reset();
  facts->sts.fetch_done = true;
  auto policy = body ? StsPolicy::parse(*body) : tl::unexpected(body.error());
  if (policy) {
    const WallTime today = wall_now();
    facts->sts.fetched =
        CachedStsPolicy{policy_id, *policy, std::move(*body), today, today + Seconds(policy->max_age_seconds)};
    fetches_[facts->domain.str()].policy = facts->sts.fetched;
    sts_cache_.keep(facts->domain, *facts->sts.fetched);
  } else {
    FetchRecord& record = fetches_[facts->domain.str()];
    record.failure = facts->sts.fetch_failure = policy.error().detail;
    record.result = facts->sts.fetch_result = result;
  }
  on_part_done(facts);
}

void DestinationPlanner::forget_facts() {
  known_.clear();
  known_order_.clear();
}

void DestinationPlanner::finish(const FactsPointer& facts) {
  pending_.erase(facts->key);
  facts->expires = now() + lifetime(*facts);
  remember(facts);
  for (auto& [demands, on_planned] : std::exchange(facts->waiting, {})) on_planned(plan_for(*facts, demands));
}

std::shared_ptr<const PlannedDestination> DestinationPlanner::plan_for(Facts& facts, const TlsDemands& demands) {
  auto& known = facts.plans[demands];
  if (known) return known;
  auto planned = std::make_shared<PlannedDestination>();
  DestinationNeeds needs;
  auto plan = plan_destination(facts.domain, options_for(facts, demands), facts.sts, *facts.answers, needs);
  planned->plan = plan ? std::move(*plan) : unsettled(facts.domain);
  if (!planned->plan.lost_tls.empty() && !std::exchange(facts.loss_told, true)) {
    options_.tls_memory->on_lost(facts.domain, planned->plan.lost_tls);
  }
  for (const PlannedHost& host : planned->plan.hosts) planned->sharing_keys.push_back(host.requirement.sharing_key());
  planned->answers = facts.answers;
  return known = std::move(planned);
}

Milliseconds DestinationPlanner::lifetime(const Facts& facts) const {
  Milliseconds result = facts.sts.cache_failure.empty() ? kMaxPlanAge : kFailedPlanAge;
  for (const auto& [question, answer] : facts.answers->known()) {
    const Milliseconds age = answer.usable() ? Seconds(answer.ttl_seconds) : kFailedPlanAge;
    result = std::min(result, std::max(age, Milliseconds{1'000}));
  }
  return result;
}

void DestinationPlanner::remember(const FactsPointer& facts) {
  const std::string& name = facts->key;
  if (const auto [known, added] = known_.insert_or_assign(name, facts); added) known_order_.push_back(name);
  if (known_.size() > kMaxKnownDomains) {
    known_.erase(known_order_.front());
    known_order_.pop_front();
  }
  if (fetches_.size() > kMaxFetchRecords) {
    const WallTime today = wall_now();
    std::erase_if(fetches_, [this, today](const auto& entry) {
      const bool holds_policy = entry.second.policy && entry.second.policy->expires > today;
      return entry.second.not_before <= now() && !holds_policy;
    });
    if (fetches_.size() > kMaxFetchRecords) fetches_.erase(fetches_.begin());
  }
}

}  // namespace waxwing
