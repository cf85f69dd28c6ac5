#pragma once

#include <string>

#include "policy/result.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"

namespace waxwing {

/// Lists domains whose hosts were authenticated by a delivery.
[[nodiscard]] Result<void> list_proven_tls(const AskRelay& ask, Output& output);

/// Forgets that a domain was authenticated, so that what it publishes now is all that counts.
/// @errors  NotFound: nothing is remembered of it
[[nodiscard]] Result<void> forget_proven_tls(const AskRelay& ask, const std::string& domain, Output& output);

}  // namespace waxwing
