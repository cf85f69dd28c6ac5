#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "policy/lookup.h"
#include "policy/mta_sts.h"
#include "policy/time_point.h"
#include "policy/tls_demands.h"
#include "policy/tls_report.h"
#include "policy/tls_requirement.h"
#include "transport/destination/route.h"
#include "transport/destination/tls_memory.h"

namespace waxwing {

/// A policy that was fetched once, with its dates.
struct CachedStsPolicy {
  std::string policy_id;
  StsPolicy policy;
  std::string body;  ///< as fetched, for reports and `explain`
  WallTime fetched;
  WallTime expires;  ///< fetched + max_age
};

/// One host that may receive mail for the domain, in the order in which to try.
struct PlannedHost {
  std::string name;  ///< MX name, lower case, or that of a next hop; an address in brackets where a route names one
  std::uint16_t preference = 0;
  std::uint16_t port = 25;
  /// IPv6 and IPv4 interleaved, each in random order; empty only if the requirement is Defer.
  std::vector<IpAddress> addresses;
  HostFacts facts;
  TlsRequirement requirement;
  /// Enhanced status code where the requirement is Defer: 4.3.0 kept policies are unreadable, 4.4.3 a lookup failed,
  /// 4.4.4 no usable address, 4.4.6 this relay itself or behind it, 4.7.5 policy.
  std::string defer_status;
};

/// Where mail for one domain goes, and what each host must prove.
struct DestinationPlan {
  enum class Outcome {
    Deliver,  ///< try `hosts` in order
    Defer,    ///< not now; `reason`
    Bounce,   ///< never; `reason` and `status`
  };
  Outcome outcome = Outcome::Defer;
  std::string status;  ///< enhanced status code for Defer and Bounce: "5.1.2", "5.1.10", "4.4.3" …
  std::string reason;  ///< a full sentence with the RFC section
  std::vector<PlannedHost> hosts;
  StsFacts sts;
  std::string sts_detail;                 ///< a sentence: none, fetched, cached, or why the fetch failed
  std::optional<TlsFailure> sts_failure;  ///< why the published policy could not be had, for reports
  std::string
      lost_tls;  ///< a sentence: hosts of the domain were authenticated once and are not now; empty: no such loss
  std::optional<TlsFailure> mx_failure;  ///< why no host is known, where reports have a word for it
  std::string route{};                   ///< name of the route by which it goes; empty: by the MX of the domain
};

/// What is known of the domain's MTA-STS policy besides its TXT record.
struct StsState {
  std::optional<CachedStsPolicy> cached;   ///< from the cache, not expired
  std::string cache_failure;               ///< why it cannot be told whether one is kept; empty: it can
  bool refresh_due = false;                ///< `cached` is old enough to be fetched anew although its id is published
  bool fetch_done = false;                 ///< the fetch for the id of the TXT record was tried in this round
  std::optional<CachedStsPolicy> fetched;  ///< its result; no value: it failed
  std::string fetch_failure;               ///< why, for people
  TlsResultType fetch_result = TlsResultType::StsPolicyFetchError;  ///< why, for reports
};

/// Where a host takes mail.
struct MailEndpoint {
  IpAddress address;
  std::uint16_t port = 25;
  friend auto operator<=>(const MailEndpoint&, const MailEndpoint&) = default;
};

struct DestinationOptions {
  std::uint16_t port = 25;         ///< of the MX hosts; TLSA names derive from it
  TlsDemands demands;              ///< of relay and message
  std::uint64_t shuffle_seed = 0;  ///< orders hosts of equal preference, and addresses
  bool allow_non_global_addresses =
      false;  ///< hosts on loopback or private addresses may be used (tests, private networks)
  std::vector<MailEndpoint> own_endpoints{};  ///< where this relay itself takes mail
  std::optional<RememberedTls> remembered{};  ///< what deliveries to the domain proved earlier
  LostTls lost_tls = LostTls::Report;         ///< what to do when that is gone
  std::shared_ptr<const Route> route{};       ///< in place of the MX of the domain; nullptr: none
};

/// What planning needs next, besides answers.missing().
struct DestinationNeeds {
  bool sts_fetch = false;     ///< fetch https://mta-sts.<domain>/.well-known/mta-sts.txt, set fetch_done and call again
  std::string sts_policy_id;  ///< id that the TXT record shows
};

/// Plans delivery for one recipient domain: MX (null MX, implicit MX), addresses, TLSA with DNSSEC state, MTA-STS, and
/// the requirement of each host. Where this relay is an MX host of the domain itself, neither it nor any host of the
/// same or a higher preference is used, and mail for a domain that has no other is bounced. A pure function of the
/// facts: the caller asks for what is missing and calls again. Hosts that cannot be used now stay in the list with the
/// reason; when none can be used, the plan takes the most telling one. A domain whose hosts were authenticated once, none
/// of which can be so now although every lookup succeeded, is reported as lost, and deferred where that is wished. With a
/// route nothing is asked about the domain, and nothing is lost or remembered: see route_plan.h.
/// @return  no value: answers.missing() and `needs` list what to get before calling again
/// @limits  at most kMaxMxHosts hosts are planned, kMaxAddressesPerHost addresses each
/// @source  RFC 5321 §5.1, RFC 7505 §3, RFC 7672 §2.2, RFC 8461 §3 and §5
[[nodiscard]] std::optional<DestinationPlan> plan_destination(const DomainName& domain,
                                                              const DestinationOptions& options, const StsState& sts,
                                                              Answers& answers, DestinationNeeds& needs);

inline constexpr std::size_t kMaxMxHosts = 20;
inline constexpr std::size_t kMaxAddressesPerHost = 8;

}  // namespace waxwing
