#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "policy/time_point.h"

namespace waxwing {

/// How much of the queue is for one recipient domain, and what holds it back.
struct DestinationLoad {
  std::string domain;                      ///< or "route NAME", where one takes the mail of many
  std::size_t recipients = 0;              ///< that wait or are under way
  std::size_t active = 0;                  ///< attempts under way
  std::size_t limit = 0;                   ///< attempts that may be under way; 0: paused
  std::optional<WallTime> paused_until{};  ///< no value: it is not paused
  std::string reason{};                    ///< why the last attempt was deferred; empty: it was not
};

/// How much of the queue is of one tenant.
struct TenantLoad {
  std::string tenant;  ///< empty: of the relay itself
  std::size_t recipients = 0;
  std::size_t active = 0;
};

/// The queue at one moment. Rates are of the last kRateWindow seconds.
struct QueueOverview {
  WallTime time{};
  std::size_t recipients = 0;       ///< that wait or are under way, without held ones that were never seen released
  std::size_t active = 0;           ///< attempts under way
  double accepted_per_second = 0;   ///< messages
  double delivered_per_second = 0;  ///< recipients, as the next two
  double deferred_per_second = 0;
  double returned_per_second = 0;             ///< bounced or expired
  std::vector<DestinationLoad> destinations;  ///< most recipients first
  std::vector<TenantLoad> tenants;            ///< most recipients first
};

}  // namespace waxwing
