#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "keys/rotation_state.h"
#include "policy/result.h"

namespace waxwing {

/// A state as its file holds it.
struct RotationFile {
  RotationState state;
  std::vector<std::string> entries;  ///< lines of the audit log that the last change added, repeated there if a crash
                                     ///< kept them from it
};

/// Writes a state as text: a line for each thing, `end` as the last one.
[[nodiscard]] std::string format_rotation_file(const RotationFile& file);

/// Reads what format_rotation_file() wrote, and nothing else.
/// @errors  Corrupt: anything that it does not write; the detail names the line
/// @limits  kMaxRotationFileOctets, kMaxGenerations
[[nodiscard]] Result<RotationFile> parse_rotation_file(std::string_view text);

inline constexpr std::size_t kMaxRotationFileOctets = 1U << 20;

}  // namespace waxwing
