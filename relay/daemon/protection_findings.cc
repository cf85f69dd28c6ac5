#include "relay/daemon/protection_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/tls_report.h"

namespace waxwing {
namespace {

using Method = TlsRequirement::Method;

// What a report would call it, and what the peer or the certificate said.
std::string failed_session(const ProbedHost& host) {
  return fmt::format(
      "The session with {} ({}) failed{}: {}.", host.name, host.facts.peer,
      host.facts.tls_failure ? fmt::format(" ({})", tls_result_type_name(host.facts.tls_failure->type)) : std::string(),
      host.failure->detail);
}

void add_failed_sessions(const std::vector<ProbedHost>& hosts, std::vector<std::string>& findings) {
  for (const ProbedHost& host : hosts) {
    if (host.failure) findings.push_back(failed_session(host));
  }
}

// Why DANE does not authenticate one host, besides the MX records; empty: it does.
std::string dane_obstacle(const PlannedHost& host) {
  if (host.requirement.method == Method::Dane) return {};
  if (host.requirement.method == Method::Defer) return host.requirement.reason;
  if (!host.facts.tlsa) {
    return fmt::format(
        "The addresses of {} are not secured by DNSSEC, so TLSA records would not count (RFC 7672 §2.2.2).", host.name);
  }
  if (host.facts.tlsa->status != Answer::Status::Secure) {
    return fmt::format("The TLSA records of {} are not secured by DNSSEC (RFC 7672 §2.2.2).", host.name);
  }
  if (host.facts.tlsa->records.empty() && host.facts.tlsa->malformed == 0) {
    return fmt::format("{} has no TLSA records (RFC 7672 §2.2).", host.name);
  }
  return fmt::format(
      "None of the TLSA records of {} is usable: senders take 2 or 3, then 0 or 1, then 0, 1 or 2 (RFC "
      "7672 §3.1).",
      host.name);
}

}  // namespace

std::vector<std::string> dane_findings(const DomainName& domain, const DestinationPlan& plan,
                                       const std::vector<ProbedHost>& hosts) {
  if (plan.hosts.empty()) return {plan.reason};
  std::vector<std::string> findings;
  if (plan.hosts.front().facts.mx_status == Answer::Status::Insecure) {
    findings.push_back(
        fmt::format("The MX records of {} are not secured by DNSSEC, so nobody knows whether its hosts are "
                    "meant (RFC 7672 §2.2.1).",
                    domain.str()));
  }
  for (const PlannedHost& host : plan.hosts) {
    if (std::string obstacle = dane_obstacle(host); !obstacle.empty()) findings.push_back(std::move(obstacle));
  }
  add_failed_sessions(hosts, findings);
  return findings;
}

std::vector<std::string> sts_findings(const DomainName& domain, const DestinationPlan& plan,
                                      const std::vector<ProbedHost>& hosts) {
  if (plan.hosts.empty()) return {plan.reason};
  std::vector<std::string> findings;
  if (!plan.sts.policy) {
    findings.push_back(fmt::format("{} has no MTA-STS policy: {} (RFC 8461 §3).", domain.str(), plan.sts_detail));
    return findings;
  }
  if (plan.sts.policy->mode != StsMode::Enforce) {
    findings.push_back(fmt::format("The policy of {} is in mode {}, so that senders do not insist on it (RFC 8461 §5).",
                                   domain.str(), sts_mode_name(plan.sts.policy->mode)));
  }
  for (const PlannedHost& host : plan.hosts) {
    if (!plan.sts.policy->covers(host.name)) {
      findings.push_back(
          fmt::format("The policy does not list {}, to which the MX records lead (RFC 8461 §4.1).", host.name));
    } else if (host.requirement.method == Method::Defer) {
      findings.push_back(host.requirement.reason);
    }
  }
  add_failed_sessions(hosts, findings);
  return findings;
}

}  // namespace waxwing
