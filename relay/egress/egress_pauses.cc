#include "relay/egress/egress_pauses.h"

#include <algorithm>

namespace waxwing {

bool EgressPauses::begin(const EgressPause& pause, WallTime now) {
  const Pair pair(pause.source, pause.provider);
  const auto found = pauses_.find(pair);
  const bool rested = found != pauses_.end() && found->second.until > now;
  if (rested && found->second.until >= pause.until) return false;
  if (found == pauses_.end()) make_room(now);
  pauses_[pair] = pause;
  changed_.insert(pair);
  return !rested;
}

void EgressPauses::make_room(WallTime now) {
  if (pauses_.size() < kMaxEgressPauses) return;
  std::erase_if(pauses_, [now](const auto& entry) { return entry.second.until <= now; });
  if (pauses_.size() < kMaxEgressPauses) return;
  pauses_.erase(std::ranges::min_element(pauses_, {}, [](const auto& entry) { return entry.second.until; }));
}

void EgressPauses::end(const std::string& source, const std::string& provider) {
  pauses_.erase({source, provider});
  changed_.emplace(source, provider);
}

const EgressPause* EgressPauses::find(const std::string& source, const std::string& provider, WallTime now) const {
  const EgressPause* longest = nullptr;
  for (const std::string& scope : {provider, std::string()}) {
    const auto found = pauses_.find({source, scope});
    if (found == pauses_.end() || found->second.until <= now) continue;
    if (longest == nullptr || found->second.until > longest->until) longest = &found->second;
  }
  return longest;
}

void EgressPauses::load(const std::vector<EgressPause>& pauses) {
  for (const EgressPause& pause : pauses) {
    if (pauses_.size() >= kMaxEgressPauses) return;
    pauses_.emplace(Pair(pause.source, pause.provider), pause);
  }
}

EgressPauses::Changes EgressPauses::take_changes() {
  Changes changes;
  for (const Pair& pair : changed_) {
    const auto found = pauses_.find(pair);
    if (found != pauses_.end())
      changes.begun.push_back(found->second);
    else
      changes.ended.push_back(pair);
  }
  changed_.clear();
  return changes;
}

void EgressPauses::not_written(const Changes& changes) {
  for (const EgressPause& pause : changes.begun) changed_.emplace(pause.source, pause.provider);
  changed_.insert(changes.ended.begin(), changes.ended.end());
}

}  // namespace waxwing
