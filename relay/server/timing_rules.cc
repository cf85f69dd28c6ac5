#include "relay/server/timing_rules.h"

#include <fmt/format.h>

#include "policy/date_time.h"

namespace waxwing {
namespace {

using Refusal = std::optional<ServerReply>;

Refusal invalid(std::string text) {
  return ServerReply{501, "5.5.4", {std::move(text)}};
}

Refusal not_offered(std::string text) {
  return ServerReply{555, "5.5.4", {std::move(text)}};
}

Refusal set_release(const TimingRequest& request, Seconds max_hold, WallTime now, DeliveryTiming& timing) {
  if (!request.hold_for && !request.hold_until) return std::nullopt;
  if (max_hold == Seconds(0)) return not_offered("messages are not kept for a later time here");
  if (request.hold_for && request.hold_until) return invalid("HOLDFOR and HOLDUNTIL exclude each other");
  timing.release = request.hold_for ? now + *request.hold_for : *request.hold_until;
  if (timing.release <= now) return invalid("HOLDUNTIL is over");
  if (timing.release > now + max_hold) {
    return invalid(fmt::format("a message is held for {} seconds at most, now until {}", max_hold.count(),
                               utc_date_time_text(now + max_hold)));
  }
  timing.release_request = release_request_text(request);
  return std::nullopt;
}

Refusal set_deliver_by(const std::optional<ByValue>& by, Seconds least, WallTime now, DeliveryTiming& timing) {
  if (!by) return std::nullopt;
  if (least == Seconds(0)) return not_offered("BY is not offered here");
  if (by->mode == ByMode::Return && by->time < least)
    return not_offered(fmt::format("BY with R must leave {} seconds at least", least.count()));
  timing.deliver_by = DeliverBy{now + by->time, by->mode, by->trace};
  if (!timing.release_request.empty() && timing.release >= timing.deliver_by->time)
    return invalid("the message would be released after the time by which it is to be delivered");
  return std::nullopt;
}

}  // namespace

tl::expected<DeliveryTiming, ServerReply> resolve_timing(const TimingRequest& request, const TimingOffer& offer,
                                                         WallTime now) {
  DeliveryTiming timing;
  auto refusal = set_release(request, offer.max_hold, now, timing);
  if (!refusal) refusal = set_deliver_by(request.by, offer.least_by_time, now, timing);
  if (refusal) return tl::unexpected(std::move(*refusal));
  return timing;
}

}  // namespace waxwing
