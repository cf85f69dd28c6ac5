#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "policy/result.h"
#include "relay/admin/admin_commands.h"
#include "relay/queue/queue_overview.h"

namespace waxwing {

/// What only a relay that runs can tell, since it stands nowhere but in its memory:
///
///   top           [rows]                       one line: time, recipients, active, held, accepted_per_second,
///                                              delivered_per_second, deferred_per_second, returned_per_second,
///                                              destinations, tenants; the last two at most `rows` (20) of the heaviest
///   destinations                               a line per recipient domain that is paused, or has as many attempts under
///                                              way as it may: domain, recipients, active, limit, paused_until, reason
struct LiveQueue {
  std::function<QueueOverview(std::size_t rows)> overview;
  std::function<std::vector<DestinationLoad>()> held_back;
};

/// Whether it is one of these commands.
[[nodiscard]] bool is_live_command(const nlohmann::json& request);

/// @param held  recipients that the store knows as held
/// @errors  Malformed: the request
[[nodiscard]] Result<AdminReply> run_live_command(const nlohmann::json& request, const LiveQueue& queue,
                                                  std::uint64_t held);

inline constexpr std::size_t kMaxOverviewRows = 1'000;

}  // namespace waxwing
