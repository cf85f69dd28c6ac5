#pragma once

#include <string>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// Runs a program and waits for its end. It gets no input, and a short environment with PATH alone.
/// @param words  absolute path and arguments
/// @errors       Unavailable: it cannot be run, ended with another status than 0, or took too long and was ended; the
///               detail has the last line of what it printed
/// @limits       kProgramTimeLimit; 64 KiB of what it prints are looked at
[[nodiscard]] Result<void> run_program(const std::vector<std::string>& words);

inline constexpr Seconds kProgramTimeLimit{60};

}  // namespace waxwing
