#pragma once

#include <string>

#include "policy/result.h"
#include "policy/secret.h"
#include "relay/cli/streams.h"

namespace waxwing {

/// Gets a password that must not appear on the command line: from a file, else asked for twice when the standard input
/// is a terminal, else the first line of the standard input.
/// @param file  path; empty: none
/// @errors  NotFound, Denied or Unavailable: the file cannot be read; Malformed: empty, too long, or the two do not
/// agree
/// @limits  kMaxPasswordInputOctets; whether the password is acceptable is for hash_password() to say
[[nodiscard]] Result<Secret> read_password(const std::string& file, CliStreams streams);

inline constexpr std::size_t kMaxPasswordInputOctets = 1'024;

}  // namespace waxwing
