#pragma once

#include <string>
#include <vector>

#include "relay/cli/streams.h"

namespace waxwing {

/// Runs one command of `waxwing`: reads the configuration, does what is asked, prints the answer, or says on
/// `streams.err` in a sentence what went wrong and what to do.
/// @param words  the command line without the name of the program
/// @return       exit status of sysexits.h
[[nodiscard]] int run_command_line(const std::vector<std::string>& words, CliStreams streams);

}  // namespace waxwing
