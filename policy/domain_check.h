#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/lookup.h"
#include "policy/mta_sts.h"
#include "policy/preflight.h"
#include "policy/time_point.h"

namespace waxwing {

/// How one finding is to be taken.
enum class FindingGrade {
  Pass,     ///< as it should be
  Advice,   ///< mail goes out nevertheless; better for the domain that receives, or a step that is still to come
  Wrong,    ///< receivers refuse mail because of it, or it does the opposite of what it is published for
  Unknown,  ///< DNS does not tell now
};

/// "pass", "advice", "wrong", "unknown".
[[nodiscard]] std::string_view finding_grade_name(FindingGrade grade);

/// A record to publish.
struct RecordToPublish {
  std::string name;  ///< as Question::name
  RecordType type;
  std::string data;  ///< of TXT the text, any length; of other types the rdata as zone files write it
};

/// One thing that was looked at.
struct DomainFinding {
  std::string check;    ///< "spf", "dkim", "dmarc", "mx", "mta-sts", "tlsrpt", "tlsa", "ptr" or "helo"
  std::string subject;  ///< which of them: an address, a selector, a host, or the domain
  FindingGrade grade = FindingGrade::Unknown;
  std::string detail;  ///< a phrase for people that may quote DNS: to be made printable
  std::optional<RecordToPublish> publish;
};

/// What came of fetching the domain's MTA-STS policy.
struct StsPolicyFetch {
  std::optional<StsPolicy> policy;
  std::string detail;  ///< why there is none, or where it came from
};

struct DomainCheckInput {
  DomainName domain;
  DomainName helo;                      ///< name that the relay says in EHLO
  std::vector<IpAddress> egress;        ///< addresses that receivers see
  std::vector<PreflightKey> keys;       ///< keys that sign for the domain
  std::optional<StsPolicyFetch> sts{};  ///< no value: it was not tried
  std::uint16_t smtp_port = 25;         ///< TLSA names derive from it
  WallTime now{};                       ///< for the id of an MTA-STS record to publish
  /// Names in EHLO of those addresses from which another than `helo` is said.
  std::map<IpAddress, DomainName> helo_names{};
};

/// Looks at everything that a sending domain and the addresses of its relay publish, as a receiver would: SPF of each
/// address, DKIM of each key, DMARC, name and reverse name of the addresses; and at what protects mail to the domain:
/// MTA-STS, TLSRPT, TLSA of its MX hosts.
/// @return  no value: answers.missing() lists what to ask before calling again
/// @limits  kMaxCheckedMxHosts MX hosts, kMaxCheckedReverseNames names of one address
/// @source  RFC 7208, RFC 6376, RFC 9989, RFC 8461, RFC 8460, RFC 7672, RFC 5321 §4.1.4 (HELO)
[[nodiscard]] std::optional<std::vector<DomainFinding>> check_domain(const DomainCheckInput& input, Answers& answers);

/// Whether nothing is Wrong and nothing Unknown.
[[nodiscard]] bool is_in_order(const std::vector<DomainFinding>& findings);

inline constexpr std::size_t kMaxCheckedMxHosts = 20;
inline constexpr std::size_t kMaxCheckedReverseNames = 10;

}  // namespace waxwing
