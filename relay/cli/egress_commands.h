#pragma once

#include <optional>
#include <string>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"
#include "relay/config/config.h"

namespace waxwing {

/// What the words of `waxwing egress` say.
struct EgressOrder {
  std::string source{};    ///< pause, resume
  std::string provider{};  ///< registrable domain of MX hosts; empty: all
  std::string reason{};
  std::optional<Seconds> pause_for{};
};

/// Prints sources, pools and rules of the configuration with what the relay says of them: what is used of warm-ups
/// today, and who rests where, why and until when.
/// @param now  for the day of a warm-up
/// @errors  as AskRelay
[[nodiscard]] Result<void> list_egress(const AskRelay& ask, const Config& config, WallTime now, Output& output);

/// @errors  NotFound: no source has that name; as AskRelay
[[nodiscard]] Result<void> pause_egress(const AskRelay& ask, const Config& config, const EgressOrder& order,
                                        Output& output);

/// @errors  NotFound: it is not paused; as AskRelay
[[nodiscard]] Result<void> resume_egress(const AskRelay& ask, const EgressOrder& order, Output& output);

}  // namespace waxwing
