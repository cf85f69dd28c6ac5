#pragma once

#include <cstdio>
#include <cstdlib>

namespace waxwing::fuzz {

/// Stops the program when a property does not hold, so that the input is kept as a finding.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

}  // namespace waxwing::fuzz
