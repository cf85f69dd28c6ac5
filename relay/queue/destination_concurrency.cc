#include "relay/queue/destination_concurrency.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace waxwing {

DestinationConcurrency::DestinationConcurrency(const Options& options, RetrySchedule schedule)
    : options_(options), schedule_(std::move(schedule)) {
  options_.most = std::max<std::size_t>(options_.most, 1);
  options_.initial = std::clamp<std::size_t>(options_.initial, 1, options_.most);
}

std::vector<DestinationConcurrency::Change> DestinationConcurrency::on_result(const std::string& domain,
                                                                              Feedback feedback, WallTime now) {
  std::vector<Change> changes;
  if (feedback == Feedback::Unknown) return changes;
  const std::size_t before = limit(domain);
  Destination& destination = known(domain, changes);
  if (feedback == Feedback::Reached) {
    end_pause(domain, destination);
    on_reached(destination);
  } else if (feedback == Feedback::Refused) {
    if (!destination.paused_until) pause(domain, destination, now);
  } else {
    on_unreached(domain, destination, now);
  }
  if (const std::size_t after = limit_of(destination); after != before) changes.push_back({domain, after});
  return changes;
}

std::vector<DestinationConcurrency::Change> DestinationConcurrency::resume(WallTime now) {
  std::vector<Change> changes;
  while (!pauses_.empty() && pauses_.begin()->first <= now) {
    const std::string domain = pauses_.begin()->second;
    Destination& destination = known_.at(domain);
    end_pause(domain, destination);
    destination.probing = true;
    changes.push_back({domain, limit_of(destination)});
  }
  return changes;
}

std::vector<DestinationConcurrency::Change> DestinationConcurrency::forget(const std::string& domain) {
  const auto found = known_.find(domain);
  if (found == known_.end()) return {};
  const std::size_t before = limit_of(found->second);
  end_pause(domain, found->second);
  ages_.erase(found->second.age);
  known_.erase(found);
  if (before == options_.initial) return {};
  return {{domain, options_.initial}};
}

void DestinationConcurrency::bring_forward(WallTime now) {
  while (!pauses_.empty() && pauses_.rbegin()->first > now + kLongestPause) {
    auto pause = pauses_.extract(std::prev(pauses_.end()));
    pause.value().first = now + kLongestPause;
    known_.at(pause.value().second).paused_until = pause.value().first;
    pauses_.insert(std::move(pause));
  }
}

std::optional<WallTime> DestinationConcurrency::next_resume() const {
  return pauses_.empty() ? std::nullopt : std::optional(pauses_.begin()->first);
}

std::size_t DestinationConcurrency::limit(const std::string& domain) const {
  const auto found = known_.find(domain);
  return found == known_.end() ? options_.initial : limit_of(found->second);
}

std::optional<WallTime> DestinationConcurrency::paused_until(const std::string& domain) const {
  const auto found = known_.find(domain);
  return found == known_.end() ? std::nullopt : found->second.paused_until;
}

std::size_t DestinationConcurrency::limit_of(const Destination& destination) {
  if (destination.paused_until) return 0;
  return destination.probing ? 1 : static_cast<std::size_t>(destination.window);
}

DestinationConcurrency::Destination& DestinationConcurrency::known(const std::string& domain,
                                                                   std::vector<Change>& changes) {
  if (const auto found = known_.find(domain); found != known_.end()) {
    ages_.splice(ages_.end(), ages_, found->second.age);
    return found->second;
  }
  if (known_.size() >= kMaxKnownDestinations) {
    const std::string oldest = ages_.front();
    changes = forget(oldest);
  }
  Destination& destination = known_[domain];
  destination.window = static_cast<double>(options_.initial);
  destination.age = ages_.insert(ages_.end(), domain);
  return destination;
}

void DestinationConcurrency::on_reached(Destination& destination) const {
  destination.failed_cohorts = 0;
  destination.pauses = 0;
  if (destination.probing) {
    destination.probing = false;
    destination.window = static_cast<double>(options_.initial);
    return;
  }
  destination.window = std::min(destination.window + 1 / destination.window, static_cast<double>(options_.most));
}

// Attempts that were under way when the pause began say nothing new.
void DestinationConcurrency::on_unreached(const std::string& domain, Destination& destination, WallTime now) {
  if (destination.paused_until) return;
  if (destination.probing) return pause(domain, destination, now);
  destination.failed_cohorts += 1 / destination.window;
  destination.window = std::max(destination.window - 1, 1.0);
  if (options_.failed_cohorts == 0) return;
  if (destination.failed_cohorts >= static_cast<double>(options_.failed_cohorts)) pause(domain, destination, now);
}

void DestinationConcurrency::pause(const std::string& domain, Destination& destination, WallTime now) {
  destination.probing = false;
  destination.failed_cohorts = 0;
  ++destination.pauses;
  const std::uint64_t seed = options_.seed ^ std::hash<std::string>()(domain);
  const WallTime end = std::min<WallTime>(schedule_.next_attempt(destination.pauses, now, seed), now + kLongestPause);
  destination.paused_until = end;
  pauses_.emplace(end, domain);
}

void DestinationConcurrency::end_pause(const std::string& domain, Destination& destination) {
  if (!destination.paused_until) return;
  pauses_.erase({*destination.paused_until, domain});
  destination.paused_until.reset();
  destination.probing = true;
}

}  // namespace waxwing
