#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/time_point.h"

namespace waxwing {

/// Why a session did not come about as a policy asks.
/// @source  RFC 8460 §4.3
enum class TlsResultType {
  StarttlsNotSupported,
  CertificateHostMismatch,
  CertificateExpired,
  CertificateNotTrusted,
  ValidationFailure,
  TlsaInvalid,
  DnssecInvalid,
  DaneRequired,
  StsPolicyFetchError,
  StsPolicyInvalid,
  StsWebpkiInvalid,
};

/// The word of the RFC, "starttls-not-supported".
[[nodiscard]] std::string_view tls_result_type_name(TlsResultType type);

/// The policy by which sessions were judged.
/// @source  RFC 8460 §4.4
struct TlsReportPolicy {
  enum class Type { Tlsa, Sts, NoPolicyFound };
  Type type = Type::NoPolicyFound;
  std::string domain;                    ///< A-labels: the TLSA base domain with Tlsa, else the recipient domain
  std::vector<std::string> strings;      ///< TLSA records in presentation form, or lines of the MTA-STS policy
  std::vector<std::string> mx_patterns;  ///< with Sts

  friend auto operator<=>(const TlsReportPolicy&, const TlsReportPolicy&) = default;
};

/// "tlsa", "sts", "no-policy-found".
[[nodiscard]] std::string_view tls_report_policy_type_name(TlsReportPolicy::Type type);

/// Sessions that failed alike.
struct TlsFailure {
  TlsResultType type = TlsResultType::ValidationFailure;
  std::string sending_ip;    ///< empty: no connection was made
  std::string receiving_mx;  ///< MX name; empty: none was chosen yet
  std::string receiving_ip;  ///< empty: no connection was made
  std::string reason_code;   ///< a short text; empty: `type` says it all

  friend auto operator<=>(const TlsFailure&, const TlsFailure&) = default;
};

/// What came of one session, or of the attempt to begin one.
struct TlsSessionResult {
  TlsReportPolicy policy;
  std::optional<TlsFailure> failure;  ///< no value: the session satisfied the policy
};

/// Results of one recipient domain and one day, summed up.
/// @limits  kMaxTlsReportPolicies policies and kMaxTlsFailures kinds of failure for each: what is beyond is counted in
///          the totals of its policy, and what has no policy left is dropped
class TlsReportTally {
 public:
  struct Sum {
    std::uint64_t successes = 0;
    std::uint64_t failures = 0;
    std::map<TlsFailure, std::uint64_t> details;
  };

  void add(const TlsSessionResult& result, std::uint64_t sessions = 1);

  [[nodiscard]] const std::map<TlsReportPolicy, Sum>& sums() const { return sums_; }

 private:
  std::map<TlsReportPolicy, Sum> sums_;
};

inline constexpr std::size_t kMaxTlsReportPolicies = 100;
inline constexpr std::size_t kMaxTlsFailures = 1'000;

/// What a report says besides its results.
struct TlsReportFrame {
  std::string organization_name;
  std::string contact_info;  ///< mail address
  std::string report_id;     ///< unique
  WallTime start;            ///< 00:00 UTC of the day
  WallTime end;
};

/// Composes the report as I-JSON in ASCII: characters outside it are escaped, and octets that are not UTF-8 become
/// U+FFFD, since some of it was written by others.
/// @source  RFC 8460 §4.4, RFC 7493 §2.1
[[nodiscard]] std::string compose_tls_report(const TlsReportFrame& frame, const TlsReportTally& tally);

/// "relay.example!receiver.example!1470013200!1470099599!id.json.gz".
/// @param sender  domain of the contact address
/// @source  RFC 8460 §5.1
[[nodiscard]] std::string tls_report_file_name(const TlsReportFrame& frame, std::string_view sender,
                                               std::string_view policy_domain);

}  // namespace waxwing
