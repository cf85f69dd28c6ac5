#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

enum class StsMode { Enforce, Testing, None };

/// "enforce", "testing", "none".
[[nodiscard]] std::string_view sts_mode_name(StsMode mode);

/// An MTA-STS policy as fetched.
struct StsPolicy {
  StsMode mode = StsMode::None;
  std::uint32_t max_age_seconds = 0;  ///< 0 to 31,557,600
  std::vector<std::string>
      mx_patterns;  ///< lower case A-labels; a pattern may start with "*."; at most kMaxStsMxPatterns

  /// Reads a policy body.
  /// @errors  Malformed: wrong version, mode or max_age missing or invalid, no mx although the mode needs one, over a
  ///          limit; the detail names the line
  /// @limits  64 KiB
  /// @source  RFC 8461 §3.2
  [[nodiscard]] static Result<StsPolicy> parse(std::string_view body);

  /// Whether `host` (lower case A-labels) is covered by a pattern; a wildcard stands for exactly one label.
  /// @source  RFC 8461 §4.1
  [[nodiscard]] bool covers(std::string_view host) const;
};

inline constexpr std::size_t kMaxStsPolicyOctets = 65'536;
inline constexpr std::size_t kMaxStsMxPatterns = 1'000;
inline constexpr std::uint32_t kMaxStsMaxAgeSeconds = 31'557'600;

/// Reads one TXT record at `_mta-sts.<domain>` and returns its policy id (1 to 32 letters and digits).
/// @errors  Malformed: not a valid record
/// @limits  kMaxRecordFields (record_fields.h)
/// @source  RFC 8461 §3.1
[[nodiscard]] Result<std::string> parse_sts_record(std::string_view txt);

/// Picks the policy id from all TXT records at `_mta-sts.<domain>`.
/// @errors  NotFound: no record starts with `v=STSv1;`, or more than one does; Malformed: the one that does is invalid
/// @source  RFC 8461 §3.1
[[nodiscard]] Result<std::string> select_sts_record(const std::vector<std::string>& txt_records);

}  // namespace waxwing
