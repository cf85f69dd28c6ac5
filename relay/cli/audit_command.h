#pragma once

#include <cstddef>

#include "policy/result.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"

namespace waxwing {

/// Prints what operators did to the queue, newest first.
/// @param limit  entries at most
[[nodiscard]] Result<void> list_audit(const AskRelay& ask, std::size_t limit, Output& output);

}  // namespace waxwing
