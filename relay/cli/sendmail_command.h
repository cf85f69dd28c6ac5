#pragma once

#include <string>
#include <vector>

#include "relay/cli/streams.h"

namespace waxwing {

/// Whether a program of that name is one that Waxwing stands in for: sendmail, mailq, newaliases.
[[nodiscard]] bool is_sendmail_name(const std::string& program);

/// Runs as sendmail(8), mailq(1) or newaliases(1). Messages go to the relay through its unix socket, under the uid of the
/// caller; when it does not run they go to the drop directory, from where it takes them later. The paths are those of the
/// package unless WAXWING_SUBMISSION_SOCKET and WAXWING_DROP_DIRECTORY name others: this program has no rights of its own,
/// so its caller may say where it writes.
/// @return  a status of sysexits.h, as callers of sendmail expect it
[[nodiscard]] int run_sendmail(const std::string& program, const std::vector<std::string>& words, CliStreams streams);

}  // namespace waxwing
