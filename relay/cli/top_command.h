#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "policy/result.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"
#include "relay/cli/streams.h"

namespace waxwing {

/// How much room the view has, in characters.
struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// The view as lines for people, each ended by a line feed, made safe for terminals and cut to the columns; no more lines
/// than rows.
/// @param overview  the answer to "top" (relay/admin/live_commands.h)
[[nodiscard]] std::string top_view(const nlohmann::json& overview, const TerminalSize& size);

/// Prints what the queue is doing, once.
[[nodiscard]] Result<void> show_top(const AskRelay& ask, Output& output);

/// Shows it on a terminal again and again, until it cannot be written any more, or asking fails.
/// @param size   asked before each view
/// @param pause  waits until the next view is due; false: that is enough
/// @errors  those of the question; nothing is said of a terminal that went away
[[nodiscard]] Result<void> watch_top(const AskRelay& ask, const std::function<TerminalSize()>& size,
                                     const std::function<bool()>& pause, CliStreams streams);

/// Whether standard output is a terminal, and its size.
[[nodiscard]] bool is_terminal();
[[nodiscard]] TerminalSize terminal_size();

}  // namespace waxwing
