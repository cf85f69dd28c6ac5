#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <utility>

#include "policy/time_point.h"
#include "relay/queue/queue_overview.h"
#include "relay/queue/queued_message.h"
#include "relay/queue/rate_meter.h"

namespace waxwing {

/// What happened of late, for who watches: how many messages come and go, and why mail for a domain waits. Decides nothing.
/// @limits  kMaxTroubles domains; the one of which a failure was seen least recently is forgotten first
class QueuePulse {
 public:
  void on_accepted(WallTime now) { accepted_.add(now); }

  /// Takes the outcome of an attempt for one recipient, or of its time being over.
  void on_outcome(const std::string& domain, RecipientState state, const std::string& reason, WallTime now);

  /// Why mail for the domain was deferred last; empty: it was not, or has been delivered since.
  [[nodiscard]] std::string trouble_of(const std::string& domain) const;

  /// Fills in the rates.
  void tell(QueueOverview& overview) const;

 private:
  using Troubles = std::list<std::pair<std::string, std::string>>;  // domain and reason, least recent first

  void forget(const std::string& domain);

  RateMeter accepted_;
  RateMeter delivered_;
  RateMeter deferred_;
  RateMeter returned_;
  Troubles troubles_;
  std::unordered_map<std::string, Troubles::iterator> by_domain_;
};

inline constexpr std::size_t kMaxTroubles = 10'000;
inline constexpr std::size_t kMaxTroubleOctets = 300;

}  // namespace waxwing
