#include "transport/destination/destination_plan.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "transport/destination/host_decision.h"
#include "transport/destination/host_discovery.h"
#include "transport/destination/mx_selection.h"
#include "transport/destination/route_plan.h"
#include "transport/destination/sts_discovery.h"

namespace waxwing {
namespace {

using Method = TlsRequirement::Method;

HostFacts facts_about_mx(const DomainName& domain, const std::string& mx_name, const Answer& mx) {
  HostFacts facts;
  facts.mx_name = mx_name;
  facts.expanded_name = mx_name;
  facts.next_hop_domain = domain.str();
  facts.next_hop_expanded = mx.canonical_name;
  facts.mx_status = mx.status;
  facts.mx_detail = mx.detail;
  return facts;
}

// RFC 5321 §5.1: what is sent to ourselves, or to a host that would pass it on to us, goes round in a circle.
// @return  whether no host is left before us
bool set_aside_own_hosts(DestinationPlan& plan, const std::vector<MailEndpoint>& own_endpoints) {
  const auto own = std::ranges::find_if(
      plan.hosts, [&own_endpoints](const PlannedHost& host) { return is_own_host(host, own_endpoints); });
  if (own == plan.hosts.end()) return false;
  const std::string name = own->name;
  const std::uint16_t preference = own->preference;
  std::size_t left = 0;
  for (PlannedHost& host : plan.hosts) {
    if (host.preference < preference) {
      ++left;
    } else {
      defer_host(host, "4.4.6",
                 fmt::format("{} is not used, because {} of preference {} is this relay itself (RFC 5321 §5.1).",
                             host.name, name, preference));
    }
  }
  return left == 0;
}

bool is_undecided(const PlannedHost& host) {
  return host.defer_status == "4.4.3" || host.defer_status == "4.3.0";
}

// DANE and MTA-STS may be given up by the domain, or taken from it by somebody who controls its name servers or what we
// see of them: only a person can tell which.
void notice_lost_tls(const DomainName& domain, const DestinationOptions& options, DestinationPlan& plan) {
  if (!options.remembered || options.route || options.demands.sets_policy_aside()) return;
  const auto still_authenticated = [](const PlannedHost& host) {
    return is_undecided(host) ||
           (host.requirement.method != Method::Defer && host.requirement.level == TlsLevel::Authenticated);
  };
  if (std::ranges::any_of(plan.hosts, still_authenticated)) return;
  plan.lost_tls = fmt::format(
      "Hosts of {} were authenticated by {} until {}, and now the domain publishes nothing by which one could be.",
      domain.str(), options.remembered->method == "dane" ? "DANE" : "MTA-STS",
      fmt::format("{:%Y-%m-%d}", std::chrono::floor<Seconds>(options.remembered->last_proven)));
  if (options.lost_tls == LostTls::Report) return;
  for (PlannedHost& host : plan.hosts) {
    if (host.requirement.method != Method::Defer) defer_host(host, "4.7.5", plan.lost_tls);
  }
}

// RFC 8460 §4.3.2; a lookup without an answer may be over the next time.
std::optional<TlsFailure> failure_of_mx(Answer::Status status) {
  if (status != Answer::Status::Bogus) return std::nullopt;
  TlsFailure failure;
  failure.type = TlsResultType::DnssecInvalid;
  failure.reason_code = "the MX records failed DNSSEC validation";
  return failure;
}

DestinationPlan early_end(const DomainName& domain, const MxSelection& mx, Answer::Status mx_status) {
  DestinationPlan plan;
  plan.outcome =
      mx.kind == MxSelection::Kind::Bounce ? DestinationPlan::Outcome::Bounce : DestinationPlan::Outcome::Defer;
  plan.status = mx.status;
  plan.reason = mx.reason;
  plan.sts.domain = domain.str();
  plan.mx_failure = failure_of_mx(mx_status);
  plan.sts_detail = "MTA-STS does not matter, since no MX host is known";
  return plan;
}

// An implicit MX that provably has no address either: the domain takes no mail (RFC 5321 §5.1).
bool has_no_mail_host(const MxSelection& mx, const PlannedHost& host) {
  return mx.implicit && host.addresses.empty() &&
         (host.facts.address_status == Answer::Status::Secure || host.facts.address_status == Answer::Status::Insecure);
}

// Discovers all hosts, so that all questions are asked at once; no value: some are open.
std::optional<std::vector<PlannedHost>> discover_hosts(const DomainName& domain, const MxSelection& mx,
                                                       const Answer& mx_answer, std::uint16_t port, Answers& answers,
                                                       std::mt19937_64& random) {
  std::vector<PlannedHost> hosts;
  bool complete = true;
  for (const MxSelection::Host& named : mx.hosts) {
    PlannedHost host;
    host.name = named.name;
    host.preference = named.preference;
    host.port = port;
    host.facts = facts_about_mx(domain, named.name, mx_answer);
    if (!named.refusal.empty()) {
      defer_host(host, "4.4.4", named.refusal);
    } else if (auto discovered = discover_host(host.facts, port, answers, random)) {
      host.facts = std::move(discovered->facts);
      host.addresses = std::move(discovered->addresses);
    } else {
      complete = false;
    }
    hosts.push_back(std::move(host));
  }
  if (!complete) return std::nullopt;
  return hosts;
}

// By the MX records of a domain, of recipients or of a route.
std::optional<DestinationPlan> plan_by_mx(const DomainName& domain, std::uint16_t port,
                                          const DestinationOptions& options, const StsState& sts, Answers& answers,
                                          DestinationNeeds& needs) {
  const Answer* mx_answer = answers.find({domain.str(), RecordType::MX});
  if (mx_answer == nullptr) {
    DestinationNeeds ignored;  // notes the TXT question; a fetch is only worth it once there is a host
    (void)discover_sts(domain, sts, answers, ignored);
    return std::nullopt;
  }
  std::mt19937_64 random(options.shuffle_seed);
  const MxSelection mx = select_mx(domain, *mx_answer, random);
  if (mx.kind != MxSelection::Kind::Hosts) return early_end(domain, mx, mx_answer->status);

  auto policy = discover_sts(domain, sts, answers, needs);
  auto hosts = discover_hosts(domain, mx, *mx_answer, port, answers, random);
  if (!policy || !hosts) return std::nullopt;

  DestinationPlan plan;
  plan.hosts = std::move(*hosts);
  plan.sts = std::move(policy->facts);
  plan.sts_detail = std::move(policy->detail);
  if (sts.fetch_done && !sts.fetched) {
    plan.sts_failure.emplace();
    plan.sts_failure->type = sts.fetch_result;
    plan.sts_failure->reason_code = sts.fetch_failure;
  }
  if (has_no_mail_host(mx, plan.hosts.front())) {
    plan.hosts.clear();
    plan.outcome = DestinationPlan::Outcome::Bounce;
    plan.status = "5.4.4";
    plan.reason = fmt::format("The domain {} has neither MX nor address records (RFC 5321 §5.1).", domain.str());
    return plan;
  }
  if (set_aside_own_hosts(plan, options.own_endpoints)) {
    plan.outcome = DestinationPlan::Outcome::Bounce;
    plan.status = "5.4.6";
    plan.reason = fmt::format(
        "The MX records of {} lead back to this relay, which does not keep its mail (RFC 5321 §5.1).", domain.str());
    return plan;
  }
  for (PlannedHost& host : plan.hosts) {
    if (host.defer_status.empty()) decide_host(host, plan.sts, sts.cache_failure, options);
  }
  notice_lost_tls(domain, options, plan);
  decide_outcome(domain.str(), plan);
  return plan;
}

}  // namespace

std::optional<DestinationPlan> plan_destination(const DomainName& domain, const DestinationOptions& options,
                                                const StsState& sts, Answers& answers, DestinationNeeds& needs) {
  needs = {};
  if (!options.route) return plan_by_mx(domain, options.port, options, sts, answers, needs);
  const Route& route = *options.route;
  if (!route.mx_domain) return plan_next_hops(options, answers);
  auto plan = plan_by_mx(*route.mx_domain, route.mx_port, options, sts, answers, needs);
  if (plan) plan_as_route(route, *plan);
  return plan;
}

}  // namespace waxwing
