#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "policy/tls_report.h"

namespace waxwing {

class SqliteConnection;

/// Results of TLS sessions, counted by UTC day and recipient domain until they are reported. Changes belong to the open
/// batch of the store, if there is one.
class TlsResultStore {
 public:
  explicit TlsResultStore(SqliteConnection& connection) : connection_(connection) {}

  /// Counts results of sessions for one recipient domain on the day of `now`.
  /// @limits  kMaxTlsResultRows kinds of result for a domain and day; others are not counted
  [[nodiscard]] Result<void> add(WallTime now, const DomainName& domain, const std::vector<TlsSessionResult>& results);

  struct Day {
    WallTime start;  ///< 00:00 UTC
    std::string domain;
    std::uint64_t successes = 0;
    std::uint64_t failures = 0;
  };
  /// What there is to report, oldest day first.
  /// @limits  kMaxListedTlsDays
  /// @errors  Corrupt
  [[nodiscard]] Result<std::vector<Day>> list();

  /// All results of a domain on the day of `time`; empty: none.
  /// @errors  Corrupt
  [[nodiscard]] Result<TlsReportTally> tally(WallTime time, const DomainName& domain);

  /// Deletes the results of a domain on the day of `time`.
  [[nodiscard]] Result<void> remove(WallTime time, const DomainName& domain);

  /// Deletes all results of days before that of `time`.
  [[nodiscard]] Result<void> remove_before(WallTime time);

 private:
  SqliteConnection& connection_;
};

inline constexpr std::int64_t kMaxTlsResultRows = 1'000;
inline constexpr std::size_t kMaxListedTlsDays = 10'000;

}  // namespace waxwing
