#pragma once

#include <tl/expected.hpp>

#include "policy/delivery_timing.h"
#include "relay/server/command.h"

namespace waxwing {

/// What a listener lets its clients ask about time.
struct TimingOffer {
  Seconds max_hold{0};       ///< HOLDFOR= and HOLDUNTIL= (RFC 4865); 0: not offered
  Seconds least_by_time{0};  ///< BY= with R (RFC 2852); 0: BY= is not offered
};

/// Turns what is asked about time into times of day, by whatever way the message comes.
/// @return  or the reply that refuses: 501 5.5.4 what no server could honour, 555 5.5.4 what this one does not offer
/// @source  RFC 4865 §4.2 and §5.2.2, RFC 2852 §3 and §4
[[nodiscard]] tl::expected<DeliveryTiming, ServerReply> resolve_timing(const TimingRequest& request,
                                                                       const TimingOffer& offer, WallTime now);

}  // namespace waxwing
