#include "relay/delivery/queue_pulse.h"

namespace waxwing {

void QueuePulse::on_outcome(const std::string& domain, RecipientState state, const std::string& reason, WallTime now) {
  if (state == RecipientState::Delivered) {
    delivered_.add(now);
    return forget(domain);
  }
  if (state != RecipientState::Deferred) return returned_.add(now);
  deferred_.add(now);
  forget(domain);
  troubles_.emplace_back(domain, reason.substr(0, kMaxTroubleOctets));
  by_domain_[domain] = std::prev(troubles_.end());
  if (troubles_.size() > kMaxTroubles) forget(std::string(troubles_.front().first));
}

void QueuePulse::forget(const std::string& domain) {
  const auto known = by_domain_.find(domain);
  if (known == by_domain_.end()) return;
  troubles_.erase(known->second);
  by_domain_.erase(known);
}

std::string QueuePulse::trouble_of(const std::string& domain) const {
  const auto known = by_domain_.find(domain);
  return known == by_domain_.end() ? std::string() : known->second->second;
}

void QueuePulse::tell(QueueOverview& overview) const {
  overview.accepted_per_second = accepted_.per_second(overview.time);
  overview.delivered_per_second = delivered_.per_second(overview.time);
  overview.deferred_per_second = deferred_.per_second(overview.time);
  overview.returned_per_second = returned_.per_second(overview.time);
}

}  // namespace waxwing
