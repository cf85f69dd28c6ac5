#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "keys/rotation_state.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// One entry of the audit log of a domain.
struct AuditEntry {
  std::uint64_t sequence = 0;  ///< from 1, without gaps
  WallTime at;
  std::string who;  ///< the user who gave the command, or the name of what ran it
  KeyTransition transition;
};

/// Writes an entry as a line without line end: its fields separated by tabs, those octets that are not printable ASCII
/// as \xHH, and at the end a digest over the line and the digest of the line before, so that no line can be changed or
/// taken out unseen.
/// @param previous  the line before; empty for the first
[[nodiscard]] std::string format_audit_line(const AuditEntry& entry, std::string_view previous);

/// Reads a line.
/// @errors  Corrupt: not such a line, or its digest does not fit to the line before
[[nodiscard]] Result<AuditEntry> parse_audit_line(std::string_view line, std::string_view previous);

/// The sequence number of a line without looking at the rest; 0: it is none.
[[nodiscard]] std::uint64_t audit_sequence(std::string_view line);

/// Longer phrases are cut off.
inline constexpr std::size_t kMaxEvidenceOctets = 4'000;

}  // namespace waxwing
