#pragma once

#include "relay/config/config.h"

namespace waxwing {

/// Runs waxwing-signer until SIGTERM or SIGINT: loads the keys, listens on signer.socket or on the socket that the
/// service manager hands over, and notices new keys as the relay would; SIGHUP loads them at once.
/// @return  the exit status, of sysexits.h when it did not start
[[nodiscard]] int run_signer(const Config& config);

}  // namespace waxwing
