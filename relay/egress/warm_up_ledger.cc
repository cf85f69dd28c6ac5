#include "relay/egress/warm_up_ledger.h"

#include <algorithm>

namespace waxwing {

void WarmUpLedger::go_to(std::int64_t day) {
  if (day == day_ || day == day_ - 1) return;
  day_ = day;
  entries_.clear();
  changed_.clear();
}

WarmUpLedger::Place WarmUpLedger::look(const std::string& source, const std::string& provider, std::uint64_t allowance,
                                       std::int64_t day) {
  go_to(day);
  const auto found = entries_.find({source, provider});
  if (found == entries_.end()) return allowance > 0 && entries_.size() < kMaxWarmUpPairs ? Place::Free : Place::UsedUp;
  if (found->second.used >= allowance) return Place::UsedUp;
  return found->second.reserved < allowance - found->second.used ? Place::Free : Place::Taken;
}

void WarmUpLedger::reserve(const std::string& source, const std::string& provider, std::int64_t day) {
  go_to(day);
  ++entries_[{source, provider}].reserved;
}

// Of an earlier day nothing is left.
WarmUpLedger::Entry* WarmUpLedger::reserved_entry(const std::string& source, const std::string& provider,
                                                  std::int64_t day) {
  const auto found = entries_.find({source, provider});
  const bool counts = (day == day_ || day == day_ - 1) && found != entries_.end() && found->second.reserved > 0;
  return counts ? &found->second : nullptr;
}

void WarmUpLedger::spend(const std::string& source, const std::string& provider, std::int64_t day) {
  Entry* entry = reserved_entry(source, provider, day);
  if (entry == nullptr) return;
  --entry->reserved;
  ++entry->used;
  changed_.emplace(source, provider);
}

void WarmUpLedger::give_back(const std::string& source, const std::string& provider, std::int64_t day) {
  Entry* entry = reserved_entry(source, provider, day);
  if (entry == nullptr) return;
  if (--entry->reserved == 0 && entry->used == 0) entries_.erase({source, provider});
}

void WarmUpLedger::load(const std::vector<WarmUpUse>& uses, std::int64_t day) {
  go_to(day);
  for (const WarmUpUse& use : uses) {
    if (use.day != day_ || entries_.size() >= kMaxWarmUpPairs) continue;
    entries_[{use.source, use.provider}].used = use.used;
  }
}

std::vector<WarmUpUse> WarmUpLedger::take_changes() {
  std::vector<WarmUpUse> uses;
  for (const auto& [source, provider] : changed_) {
    const auto found = entries_.find({source, provider});
    if (found != entries_.end()) uses.push_back({source, provider, day_, found->second.used});
  }
  changed_.clear();
  return uses;
}

void WarmUpLedger::not_written(const std::vector<WarmUpUse>& uses) {
  for (const WarmUpUse& use : uses) {
    if (use.day == day_ && entries_.contains({use.source, use.provider})) changed_.emplace(use.source, use.provider);
  }
}

}  // namespace waxwing
