#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

/// Where a domain wants reports about TLS with its hosts to go.
struct TlsReportUri {
  enum class Scheme {
    Mailto,
    Https,
    Other,  ///< nothing that RFC 8460 reports to
  };
  Scheme scheme;
  std::string text;  ///< the whole URI as written: characters of URIs, no more is known of it

  friend bool operator==(const TlsReportUri&, const TlsReportUri&) = default;
};

/// The TXT record at `_smtp._tls.<domain>`. Its only version is TLSRPTv1.
struct TlsReportRecord {
  std::vector<TlsReportUri> rua;  ///< at least one, in the order of the record; of several rua= all

  /// Reads one TXT record. Fields that RFC 8460 does not define are passed over.
  /// @errors  Malformed: another version, no rua=, something in rua= that is no URI, a field that is not name=value,
  ///          over a limit
  /// @limits  kMaxTlsReportRecordOctets, kMaxTlsReportUris, kMaxRecordFields
  /// @source  RFC 8460 §3
  [[nodiscard]] static Result<TlsReportRecord> parse(std::string_view txt);
};

inline constexpr std::size_t kMaxTlsReportRecordOctets = 8'192;
inline constexpr std::size_t kMaxTlsReportUris = 32;

/// Picks the record from all TXT records at `_smtp._tls.<domain>`.
/// @errors  NotFound: no record starts with `v=TLSRPTv1;`, or more than one does; Malformed: the one that does is
///          invalid
/// @source  RFC 8460 §3
[[nodiscard]] Result<TlsReportRecord> select_tls_report_record(const std::vector<std::string>& txt_records);

}  // namespace waxwing
