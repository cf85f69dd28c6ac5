#include "keys/rotation_plan.h"

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

std::optional<PlannedEvent> next_of(const KeyGeneration& generation, const RotationState& state,
                                    const RotationRules& rules) {
  const std::string& selector = generation.keys.front().selector;
  switch (generation.phase) {
    case KeyPhase::Pending:
      return PlannedEvent{selector, "waits until its records are seen on every name server", std::nullopt};
    case KeyPhase::Published:
      return PlannedEvent{selector, "becomes ready, when its records are seen again",
                          generation.since + generation.negative_ttl};
    case KeyPhase::Ready:
      return PlannedEvent{selector, "stands by", std::nullopt};
    case KeyPhase::Active:
      if (state.rotation_wanted)
        return PlannedEvent{selector, "is replaced as soon as a second standby is ready", std::nullopt};
      if (rules.interval == Seconds(0))
        return PlannedEvent{selector, "signs until a rotation is asked for", std::nullopt};
      return PlannedEvent{selector, "is replaced", generation.since + rules.interval};
    case KeyPhase::Retiring:
      if (generation.withdrawing)
        return PlannedEvent{selector, "waits until no name server has its records", std::nullopt};
      if (!generation.drained)
        return PlannedEvent{selector, "waits until no queued message is signed with it", std::nullopt};
      return PlannedEvent{selector, "its records are withdrawn", *generation.drained + rules.in_flight};
    case KeyPhase::Withdrawn:
      return PlannedEvent{
          selector,
          generation.reveal || rules.reveal ? "its private half is revealed" : "its private half is destroyed",
          generation.since + std::max(generation.ttl, generation.negative_ttl)};
    case KeyPhase::Destroyed:
    case KeyPhase::Revealed:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::vector<PlannedEvent> plan_rotation(const RotationState& state, const RotationRules& rules) {
  std::vector<PlannedEvent> events;
  for (const KeyGeneration& generation : state.generations)
    if (auto event = next_of(generation, state, rules)) events.push_back(std::move(*event));
  std::ranges::stable_sort(events, {}, [](const PlannedEvent& each) { return each.when.value_or(WallTime::max()); });
  return events;
}

}  // namespace waxwing
