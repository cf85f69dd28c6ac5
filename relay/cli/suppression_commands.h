#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"
#include "relay/cli/streams.h"

namespace waxwing {

/// What the words of `waxwing suppression` say.
struct SuppressionOrder {
  std::string tenant{};   ///< list, export: empty is all; import: of lines that are an address and nothing else
  std::string address{};  ///< add, remove
  std::string reason{};
  std::optional<Seconds> keep_for{};  ///< add; no value: for good
  std::string file{};                 ///< import; empty: standard input
};

/// Prints the addresses to which nobody of a tenant may submit.
[[nodiscard]] Result<void> list_suppressions(const AskRelay& ask, const SuppressionOrder& order, Output& output);

/// Prints them as import_suppressions() takes them: a JSON object a line.
[[nodiscard]] Result<void> export_suppressions(const AskRelay& ask, const SuppressionOrder& order, std::ostream& out);

[[nodiscard]] Result<void> add_suppression(const AskRelay& ask, const SuppressionOrder& order, Output& output);
[[nodiscard]] Result<void> remove_suppression(const AskRelay& ask, const SuppressionOrder& order, Output& output);

/// Adds what a file says: on each line a JSON object as export prints it, or an address, which is for `order.tenant`. What
/// came before a line that is wrong has been added.
/// @errors  Malformed: a line, which is named; NotFound, Unavailable: the file
[[nodiscard]] Result<void> import_suppressions(const AskRelay& ask, const SuppressionOrder& order, CliStreams streams,
                                               Output& output);

}  // namespace waxwing
