#pragma once

#include "relay/config/config.h"

namespace waxwing {

/// Builds the relay from its parts, runs it until SIGTERM or SIGINT, and takes it down in order: no new sessions,
/// messages under way are answered, outcomes of attempts are recorded. SIGHUP loads the keys and the passwords of routes anew. What is wrong at the
/// start is told on the log in one line that names the thing and the remedy.
/// @return  exit status of sysexits.h: 0 after an orderly end, EX_UNAVAILABLE, EX_NOPERM, EX_OSERR or EX_CONFIG if it
/// cannot start
[[nodiscard]] int run_daemon(const Config& config);

}  // namespace waxwing
