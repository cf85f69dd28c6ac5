#include "relay/delivery/unrecorded_outcomes.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace waxwing {

std::optional<WallTime> UnrecordedOutcomes::keep(Outcome outcome, WallTime now) {
  if (waiting_.size() >= kMaxUnrecordedOutcomes) return std::nullopt;
  Milliseconds delay = kFirstRecordRetry;
  for (std::uint32_t refusal = 0; refusal < outcome.refusals && delay < kLongestRecordRetry; ++refusal) delay *= 2;
  ++outcome.refusals;
  const WallTime due = now + std::min(delay, kLongestRecordRetry);
  waiting_.emplace(due, std::move(outcome));
  return due;
}

std::vector<UnrecordedOutcomes::Outcome> UnrecordedOutcomes::take_due(WallTime now) {
  std::vector<Outcome> due;
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    due.push_back(std::move(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
  }
  return due;
}

std::optional<WallTime> UnrecordedOutcomes::next_due() const {
  return waiting_.empty() ? std::nullopt : std::optional(waiting_.begin()->first);
}

bool UnrecordedOutcomes::hurry(QueueId message, std::uint32_t ordinal, WallTime now) {
  const auto is_of_recipient = [&](const RecipientUpdate& update) { return update.ordinal == ordinal; };
  for (auto entry = waiting_.begin(); entry != waiting_.end(); ++entry) {
    const Outcome& outcome = entry->second;
    if (outcome.message != message || std::ranges::none_of(outcome.record.updates, is_of_recipient)) continue;
    auto moved = waiting_.extract(entry);
    moved.key() = std::min(moved.key(), now);
    waiting_.insert(std::move(moved));
    return true;
  }
  return false;
}

void UnrecordedOutcomes::bring_forward(WallTime now) {
  const WallTime latest = now + kLongestRecordRetry;
  while (!waiting_.empty() && waiting_.rbegin()->first > latest) {
    auto moved = waiting_.extract(std::prev(waiting_.end()));
    moved.key() = latest;
    waiting_.insert(std::move(moved));
  }
}

}  // namespace waxwing
