#include "policy/tls_report_result.h"

#include <fmt/format.h>

#include <algorithm>

namespace waxwing {
namespace {

TlsReportPolicy tlsa_policy(const TlsaFacts& tlsa) {
  TlsReportPolicy policy;
  policy.type = TlsReportPolicy::Type::Tlsa;
  policy.domain = tlsa.base_domain;
  for (const TlsaRecord& record : tlsa.records) policy.strings.push_back(record.str());
  std::ranges::sort(policy.strings);  // DNS gives them in any order
  return policy;
}

TlsReportPolicy sts_policy(const StsFacts& sts) {
  TlsReportPolicy policy;
  policy.type = TlsReportPolicy::Type::Sts;
  policy.domain = sts.domain;
  policy.strings = {"version: STSv1", fmt::format("mode: {}", sts_mode_name(sts.policy->mode))};
  for (const std::string& pattern : sts.policy->mx_patterns) policy.strings.push_back("mx: " + pattern);
  policy.strings.push_back(fmt::format("max_age: {}", sts.policy->max_age_seconds));
  policy.mx_patterns = sts.policy->mx_patterns;
  return policy;
}

bool has_secure_records(const HostFacts& host) {
  return host.tlsa && host.tlsa->status == Answer::Status::Secure &&
         (!host.tlsa->records.empty() || host.tlsa->malformed > 0);
}

// Of MX, addresses and TLSA, what failed validation; empty: nothing.
std::string_view bogus_lookup(const HostFacts& host) {
  if (host.mx_status == Answer::Status::Bogus) return "the MX records failed DNSSEC validation";
  if (host.address_status == Answer::Status::Bogus) return "the address records failed DNSSEC validation";
  if (host.tlsa && host.tlsa->status == Answer::Status::Bogus) return "the TLSA records failed DNSSEC validation";
  return {};
}

bool lookup_failed(const HostFacts& host) {
  return host.mx_status == Answer::Status::Failed || host.address_status == Answer::Status::Failed ||
         (host.tlsa && host.tlsa->status == Answer::Status::Failed);
}

}  // namespace

TlsReportPolicy tls_report_policy(const HostFacts& host, const StsFacts& sts) {
  if (has_secure_records(host)) return tlsa_policy(*host.tlsa);
  if (host.tlsa && host.tlsa->status == Answer::Status::Bogus) return tlsa_policy(*host.tlsa);
  if (sts.policy && sts.policy->mode != StsMode::None) return sts_policy(sts);
  TlsReportPolicy policy;
  policy.domain = host.next_hop_domain;
  return policy;
}

std::optional<TlsFailure> tls_failure_of_host(const HostFacts& host, const StsFacts& sts,
                                              const TlsRequirement& requirement) {
  TlsFailure failure;
  failure.receiving_mx = host.mx_name;
  if (const std::string_view bogus = bogus_lookup(host); !bogus.empty()) {
    failure.type = TlsResultType::DnssecInvalid;
    failure.reason_code = bogus;
    return failure;
  }
  if (lookup_failed(host)) return std::nullopt;
  const bool usable = host.tlsa && std::ranges::any_of(host.tlsa->records, &TlsaRecord::usable);
  if (has_secure_records(host) && !usable) {
    failure.type = TlsResultType::TlsaInvalid;
    return failure;
  }
  const bool forgeable = host.mx_status != Answer::Status::Secure;
  const bool by_sts = (!usable || forgeable) && sts.policy && sts.policy->mode != StsMode::None;
  if (by_sts && !sts.policy->covers(host.mx_name)) {
    failure.type = TlsResultType::ValidationFailure;
    failure.reason_code = "the MTA-STS policy does not list the MX host";
    return failure;
  }
  if (requirement.method != TlsRequirement::Method::Defer) return std::nullopt;
  const bool enforced = sts.policy && sts.policy->mode == StsMode::Enforce;
  if (usable || enforced) return std::nullopt;  // a rule of this relay that has no word in the RFC
  failure.type = TlsResultType::DaneRequired;
  return failure;
}

TlsResultType tls_result_of_certificate(CertificateResult result) {
  switch (result) {
    case CertificateResult::HostMismatch:
      return TlsResultType::CertificateHostMismatch;
    case CertificateResult::Expired:
      return TlsResultType::CertificateExpired;
    case CertificateResult::NotTrusted:
      return TlsResultType::CertificateNotTrusted;
    case CertificateResult::Accepted:
    case CertificateResult::Unreadable:
      break;
  }
  return TlsResultType::ValidationFailure;
}

}  // namespace waxwing
