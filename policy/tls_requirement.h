#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/lookup.h"
#include "policy/mta_sts.h"
#include "policy/tls_demands.h"
#include "policy/tls_level.h"
#include "policy/tlsa_record.h"

namespace waxwing {

class TrustAnchors;

/// The outcome of the TLSA lookups of one MX host (RFC 7672 §2.2.2).
struct TlsaFacts {
  Answer::Status status = Answer::Status::Insecure;  ///< of the RRset that was chosen, or of the failed lookup
  std::string base_domain;                           ///< TLSA base domain of that RRset, e.g. "mx1.example.net"
  std::vector<TlsaRecord> records;                   ///< empty: none published
  std::size_t malformed = 0;                         ///< rdata too short to be a record; they count as unusable records
  std::string detail;                                ///< for Bogus and Failed
};

/// What DNS says about one MX host.
struct HostFacts {
  std::string mx_name;            ///< as in the MX record (or the domain itself for an implicit MX)
  std::string expanded_name;      ///< after following CNAMEs; equal to mx_name without any
  std::string next_hop_domain;    ///< the domain whose MX RRset names this host
  std::string next_hop_expanded;  ///< where CNAMEs of the next-hop domain lead; empty or equal to it without any
  Answer::Status mx_status = Answer::Status::Insecure;       ///< of the MX RRset (or of its proven absence)
  Answer::Status address_status = Answer::Status::Insecure;  ///< least favourable state of A and AAAA including CNAMEs
  std::string mx_detail;                                     ///< for Bogus and Failed
  std::string address_detail;                                ///< for Bogus and Failed
  std::optional<TlsaFacts> tlsa;  ///< absent: not asked, because the addresses (and the alias to them) are insecure
};

/// What MTA-STS says about the recipient domain: no value where it has no policy.
struct StsFacts {
  std::optional<StsPolicy> policy;
  std::string domain;  ///< policy domain
};

/// What one MX host must prove before mail for one recipient domain may go to it: decided once, stored with each
/// attempt and printed by `waxwing explain`.
struct TlsRequirement {
  enum class Method {
    Defer,          ///< do not use this host now
    Opportunistic,  ///< any TLS 1.2+ session, whatever its certificate
    Pkix,           ///< certificate by public authorities for one of `reference_identifiers`
    Dane,           ///< certificate that matches `tlsa`
    Pin,            ///< certificate whose key is one of `pins`, whatever its names and dates
  };
  Method method = Method::Defer;
  TlsLevel level =
      TlsLevel::Encrypted;       ///< what a connection that satisfies it has proven; Plaintext: TLS is not needed
  std::vector<TlsaRecord> tlsa;  ///< usable records, for Dane only
  /// Acceptable certificate names; with Opportunistic those for which the certificate is only looked at, for reports.
  std::vector<std::string> reference_identifiers;
  std::string server_name;                            ///< SNI: the TLSA base domain with DANE, else the MX name
  std::string reason;                                 ///< a full sentence with the RFC section
  std::vector<std::string> pins{};                    ///< SHA-256 of public keys, 32 octets each, for Pin only
  std::shared_ptr<const TrustAnchors> authorities{};  ///< for Pkix, in place of the public ones; nullptr: those

  /// Two requirements with the same key may share connections and TLS sessions to the same host.
  [[nodiscard]] std::string sharing_key() const;
};

/// "defer", "opportunistic", "pkix", "dane", "pin".
[[nodiscard]] std::string_view tls_method_name(TlsRequirement::Method method);

/// Decides what an MX host must prove.
/// A failed or bogus lookup defers. A secure TLSA RRset with a usable record makes DANE mandatory, whatever MTA-STS
/// says, as long as the MX RRset is secure; under an insecure one an enforced MTA-STS policy must list the host, too.
/// The level is Authenticated when the MX RRset is secure or an enforced MTA-STS policy lists the host, else Verified.
/// A secure TLSA RRset without a usable record makes TLS mandatory. Where DANE does not apply, an enforced MTA-STS
/// policy must list the host and asks for its certificate.
/// @param demands  a request Required: the domain must vouch for the host, by DNSSEC of its MX RRset or by an enforced
///                 MTA-STS policy, and the host must prove its name, by DANE or a public authority; else Defer. A
///                 request Optional, or an exception: a session is asked for as if the domain published nothing, but
///                 with a request the minimum holds, and with an exception its level. A host whose location is unknown
///                 is Defer all the same.
/// @return         requirement whose `reason` is a full sentence for logs and reports
/// @source  RFC 7672 §2.2, RFC 8461 §5, RFC 7435 §3, RFC 8689 §4.2
[[nodiscard]] TlsRequirement decide_tls_requirement(const HostFacts& host, const StsFacts& sts,
                                                    const TlsDemands& demands);

}  // namespace waxwing
