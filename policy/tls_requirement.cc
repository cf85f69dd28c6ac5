#include "policy/tls_requirement.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "policy/base64.h"
#include "policy/pkix.h"

namespace waxwing {
namespace {

using Method = TlsRequirement::Method;

bool is_broken(Answer::Status status) {
  return status == Answer::Status::Bogus || status == Answer::Status::Failed;
}

constexpr std::uint8_t kDaneEe = 3;

std::string broken_phrase(Answer::Status status, std::string_view detail) {
  std::string phrase = status == Answer::Status::Bogus ? "failed DNSSEC validation" : "could not be completed";
  if (!detail.empty()) phrase += fmt::format(" ({})", detail);
  return phrase;
}

TlsRequirement defer(std::string reason) {
  TlsRequirement requirement;
  requirement.method = Method::Defer;
  requirement.reason = std::move(reason);
  return requirement;
}

bool sts_enforces(const StsFacts& sts) {
  return sts.policy && sts.policy->mode == StsMode::Enforce;
}

constexpr std::string_view kWhy = "so nobody can tell whether DANE applies (RFC 7672 §2.1.3)";

// Why nobody can tell where the host is, if so.
std::optional<std::string> broken_location(const HostFacts& host) {
  if (is_broken(host.mx_status)) {
    return fmt::format("The MX lookup of {} {}, {}.", host.next_hop_domain,
                       broken_phrase(host.mx_status, host.mx_detail), kWhy);
  }
  if (is_broken(host.address_status)) {
    return fmt::format("The address lookup of {} {}, {}.", host.mx_name,
                       broken_phrase(host.address_status, host.address_detail), kWhy);
  }
  return std::nullopt;
}

// Why the host cannot be used before anything is known about it, if so.
std::optional<std::string> broken_lookup(const HostFacts& host) {
  if (auto broken = broken_location(host)) return broken;
  if (host.tlsa && is_broken(host.tlsa->status)) {
    return fmt::format("The TLSA lookup of {} {}, {}.", host.tlsa->base_domain,
                       broken_phrase(host.tlsa->status, host.tlsa->detail), kWhy);
  }
  if (!host.tlsa && host.address_status == Answer::Status::Secure) {
    return fmt::format("The TLSA records of {} were not looked up although its addresses are secure, {}.", host.mx_name,
                       kWhy);
  }
  return std::nullopt;
}

void add_identifier(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
}

// RFC 7672 §3.2.2: under an insecure MX RRset the next-hop domain proves nothing about the host.
std::vector<std::string> dane_reference_identifiers(const HostFacts& host) {
  std::vector<std::string> names;
  add_identifier(names, host.tlsa->base_domain);
  add_identifier(names, host.mx_name);
  if (host.mx_status == Answer::Status::Secure) {
    add_identifier(names, host.next_hop_domain);
    add_identifier(names, host.next_hop_expanded);
  }
  return names;
}

// Under an insecure MX RRset a forger could name a host of his own that DANE proves perfectly. What the enforced policy
// of the domain says about its hosts must hold then; a secure MX RRset speaks for the domain itself.
bool forged_mx_possible(const HostFacts& host, const StsFacts& sts) {
  return host.mx_status != Answer::Status::Secure && sts_enforces(sts) && !sts.policy->covers(host.mx_name);
}

TlsRequirement dane_requirement(const HostFacts& host, std::vector<TlsaRecord> usable, const StsFacts& sts) {
  if (forged_mx_possible(host, sts)) {
    return defer(
        fmt::format("The MX records of {} are not secured by DNSSEC, and its enforced MTA-STS policy does not list {} "
                    "(RFC 8461 §4.1).",
                    sts.domain, host.mx_name));
  }
  TlsRequirement requirement;
  requirement.method = Method::Dane;
  requirement.server_name = host.tlsa->base_domain;
  requirement.reference_identifiers = dane_reference_identifiers(host);
  requirement.reason = fmt::format("{} has {} usable TLSA record{} at {}, so it must match {} (RFC 7672 §2.2)",
                                   host.mx_name, usable.size(), usable.size() == 1 ? "" : "s", host.tlsa->base_domain,
                                   usable.size() == 1 ? "it" : "one of them");
  requirement.tlsa = std::move(usable);
  if (host.mx_status == Answer::Status::Secure) {
    requirement.level = TlsLevel::Authenticated;
    requirement.reason += '.';
  } else if (sts_enforces(sts)) {  // and lists the host
    requirement.level = TlsLevel::Authenticated;
    requirement.reason += fmt::format("; the MTA-STS policy of {} names the host (RFC 8461 §2).", sts.domain);
  } else {
    requirement.level = TlsLevel::Verified;
    requirement.reason += fmt::format(
        "; the MX records of {} are not secured by DNSSEC, so the domain itself is not authenticated (RFC 7672 "
        "§2.2.1).",
        host.next_hop_domain);
  }
  return requirement;
}

TlsRequirement pkix_requirement(const HostFacts& host, TlsLevel level, std::string reason) {
  TlsRequirement requirement;
  requirement.method = Method::Pkix;
  requirement.level = level;
  requirement.reference_identifiers = {host.mx_name};
  requirement.server_name = host.mx_name;
  requirement.reason = std::move(reason);
  return requirement;
}

// Why DANE does not apply, as the first half of a sentence.
std::string no_dane_phrase(const HostFacts& host) {
  if (!host.tlsa)
    return fmt::format("The addresses of {} are not secured by DNSSEC, so DANE does not apply (RFC 7672 §2.2.2)",
                       host.mx_name);
  if (host.tlsa->status == Answer::Status::Insecure) {
    return fmt::format("The TLSA records of {} are not secured by DNSSEC, so DANE does not apply (RFC 7672 §2.2.2)",
                       host.tlsa->base_domain);
  }
  if (host.tlsa->records.empty() && host.tlsa->malformed == 0) {
    return fmt::format("{} securely has no TLSA records, so DANE does not apply (RFC 7672 §2.2)", host.mx_name);
  }
  return fmt::format("None of the TLSA records of {} is usable, so TLS is mandatory without DANE (RFC 7672 §2.2)",
                     host.tlsa->base_domain);
}

bool has_unusable_tlsa(const HostFacts& host) {
  return host.tlsa && host.tlsa->status == Answer::Status::Secure &&
         (!host.tlsa->records.empty() || host.tlsa->malformed > 0);
}

std::string no_sts_phrase(const StsFacts& sts) {
  if (!sts.policy) return "no MTA-STS policy applies";
  return fmt::format("the MTA-STS policy of {} is in mode {} (RFC 8461 §5)", sts.domain,
                     sts_mode_name(sts.policy->mode));
}

TlsRequirement opportunistic_requirement(const HostFacts& host, const StsFacts& sts, TlsLevel minimum) {
  TlsRequirement requirement;
  requirement.method = Method::Opportunistic;
  requirement.server_name = host.mx_name;
  requirement.level =
      minimum == TlsLevel::Plaintext && !has_unusable_tlsa(host) ? TlsLevel::Plaintext : TlsLevel::Encrypted;
  requirement.reason =
      fmt::format("{}, and {}: {} (RFC 7435 §3).", no_dane_phrase(host), no_sts_phrase(sts),
                  requirement.level == TlsLevel::Plaintext ? "an exception allows clear text where TLS is not offered"
                                                           : "any TLS session is accepted, whatever its certificate");
  // RFC 8461 §5: what a policy in mode testing would have refused is reported.
  if (sts.policy && sts.policy->mode == StsMode::Testing) requirement.reference_identifiers = {host.mx_name};
  return requirement;
}

TlsRequirement requirement_without_dane(const HostFacts& host, const StsFacts& sts, TlsLevel minimum) {
  if (sts_enforces(sts)) {
    if (!sts.policy->covers(host.mx_name)) {
      return defer(fmt::format("{}, and the enforced MTA-STS policy of {} does not list {} (RFC 8461 §4.1).",
                               no_dane_phrase(host), sts.domain, host.mx_name));
    }
    return pkix_requirement(
        host, TlsLevel::Authenticated,
        fmt::format("{}, and the MTA-STS policy of {} is enforced: the certificate must be valid for {} "
                    "(RFC 8461 §4.2).",
                    no_dane_phrase(host), sts.domain, host.mx_name));
  }
  if (minimum >= TlsLevel::Verified) {
    return pkix_requirement(host, TlsLevel::Verified,
                            fmt::format("{}, and {}: a rule of this relay asks for a certificate that is valid for {}.",
                                        no_dane_phrase(host), no_sts_phrase(sts), host.mx_name));
  }
  return opportunistic_requirement(host, sts, minimum);
}

// What domain and relay ask for; the message has no say yet.
TlsRequirement requirement_by_policy(const HostFacts& host, const StsFacts& sts, TlsLevel minimum) {
  if (auto broken = broken_lookup(host)) return defer(std::move(*broken));
  std::vector<TlsaRecord> usable;
  if (host.tlsa && host.tlsa->status == Answer::Status::Secure) {
    std::ranges::copy_if(host.tlsa->records, std::back_inserter(usable), &TlsaRecord::usable);
  }
  TlsRequirement requirement =
      usable.empty() ? requirement_without_dane(host, sts, minimum) : dane_requirement(host, std::move(usable), sts);
  if (requirement.method == Method::Defer || requirement.level >= minimum) return requirement;
  return defer(fmt::format("A rule of this relay asks for level {}, but {} can only reach {}: {}",
                           tls_level_name(minimum), host.mx_name, tls_level_name(requirement.level),
                           requirement.reason));
}

// RFC 8689 §4.2.1: DNSSEC of the MX RRset is enough for the domain to vouch for the host's name, and a public authority
// for the host to prove it. That goes beyond what Authenticated asks for elsewhere, and only REQUIRETLS makes use of
// it.
TlsRequirement requirement_of_requiretls(const HostFacts& host, const StsFacts& sts, TlsLevel minimum) {
  TlsRequirement requirement = requirement_by_policy(host, sts, std::max(minimum, TlsLevel::Verified));
  if (requirement.method == Method::Defer || requirement.level == TlsLevel::Authenticated) return requirement;
  if (host.mx_status == Answer::Status::Secure) return requirement;
  return defer(fmt::format(
      "The message asks for REQUIRETLS, and neither DNSSEC nor an enforced MTA-STS policy says that {} is a host of {} "
      "(RFC 8689 §4.2.1).",
      host.mx_name, host.next_hop_domain));
}

// RFC 8689 §4.2.2. Departs from it where TLS does not come about at all, because nothing leaves in clear text.
TlsRequirement requirement_of_tls_optional(const HostFacts& host, TlsLevel minimum) {
  if (auto broken = broken_location(host)) return defer(std::move(*broken));
  if (minimum == TlsLevel::Authenticated) {
    return defer(
        fmt::format("A rule of this relay asks for level authenticated, which \"TLS-Required: No\" gives up for "
                    "{} (RFC 8689 §4.2.2).",
                    host.mx_name));
  }
  if (minimum == TlsLevel::Verified) {
    return pkix_requirement(host, TlsLevel::Verified,
                            fmt::format("The message says \"TLS-Required: No\", so that DANE and MTA-STS do not count "
                                        "(RFC 8689 §4.2.2), but a rule of this relay asks for a certificate that is "
                                        "valid for {}.",
                                        host.mx_name));
  }
  TlsRequirement requirement;
  requirement.method = Method::Opportunistic;
  requirement.server_name = host.mx_name;
  requirement.reason =
      "The message says \"TLS-Required: No\", so that DANE and MTA-STS do not count: any TLS session is accepted, its "
      "certificate is not looked at (RFC 8689 §4.2.2).";
  return requirement;
}

// The operator has decided that this domain's mail goes on although what it publishes cannot be met. Where the host is
// must still be known.
TlsRequirement requirement_of_exception(const HostFacts& host, const TlsException& exception) {
  if (auto broken = broken_location(host)) return defer(std::move(*broken));
  const std::string why = fmt::format(
      "An exception of this relay for {} expires on {} ({}): DANE and MTA-STS do not count", host.next_hop_domain,
      fmt::format("{:%Y-%m-%d}", std::chrono::floor<Seconds>(exception.expires)), exception.reason);
  if (exception.level >= TlsLevel::Verified) {
    return pkix_requirement(host, TlsLevel::Verified,
                            fmt::format("{}, but the certificate must be valid for {}.", why, host.mx_name));
  }
  TlsRequirement requirement;
  requirement.method = Method::Opportunistic;
  requirement.server_name = host.mx_name;
  requirement.reason = fmt::format("{}, and any TLS session is accepted, its certificate is not looked at.", why);
  return requirement;
}

std::string sha256_hex(std::string_view text) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const std::uint8_t octet : digest) hex += fmt::format("{:02x}", octet);
  return hex;
}

}  // namespace

std::string_view tls_method_name(TlsRequirement::Method method) {
  switch (method) {
    case Method::Defer:
      return "defer";
    case Method::Opportunistic:
      return "opportunistic";
    case Method::Pkix:
      return "pkix";
    case Method::Dane:
      return "dane";
    case Method::Pin:
      return "pin";
  }
  return "defer";
}

// With DANE-EE alone names prove nothing (RFC 7672 §3.1.1), and all domains of a host may share its connections. A pinned
// key has no names from the start.
std::string TlsRequirement::sharing_key() const {
  std::vector<std::string> records;
  for (const TlsaRecord& record : tlsa) records.push_back(record.str());
  std::ranges::sort(records);
  const bool names_count = method != Method::Dane ||
                           std::ranges::any_of(tlsa, [](const TlsaRecord& record) { return record.usage != kDaneEe; });
  std::vector<std::string> names = names_count ? reference_identifiers : std::vector<std::string>();
  std::ranges::sort(names);
  std::string input = fmt::format("{}\n{}\n{}\n", tls_method_name(method), tls_level_name(level), server_name);
  for (const std::string& name : names) input += "name " + name + "\n";
  for (const std::string& record : records) input += "tlsa " + record + "\n";
  for (const std::string& pin : pins) input += "pin " + encode_base64(pin) + "\n";
  if (authorities) input += "authorities " + encode_base64(authorities->fingerprint()) + "\n";
  return fmt::format("{}-{}-{}", tls_method_name(method), tls_level_name(level), sha256_hex(input));
}

TlsRequirement decide_tls_requirement(const HostFacts& host, const StsFacts& sts, const TlsDemands& demands) {
  if (demands.request == TlsRequest::Required) return requirement_of_requiretls(host, sts, demands.minimum);
  if (demands.exception) return requirement_of_exception(host, *demands.exception);
  if (demands.request == TlsRequest::Optional) return requirement_of_tls_optional(host, demands.minimum);
  return requirement_by_policy(host, sts, demands.minimum);
}

}  // namespace waxwing
