#pragma once

#include <optional>
#include <vector>

#include "policy/domain_name.h"
#include "policy/time_point.h"
#include "policy/tls_report.h"
#include "relay/queue/queue_store.h"
#include "relay/queue/queued_message.h"
#include "relay/queue/suppression.h"

namespace waxwing {

/// What one attempt came to, recorded together or not at all.
struct AttemptRecord {
  std::vector<RecipientUpdate> updates;
  std::vector<QueuedMessage> reports;  ///< delivery status notifications that the attempt gave rise to; bodies inline
  /// Sessions of the attempt, to be counted; that they cannot be is no reason to refuse the rest.
  struct TlsResults {
    DomainName domain;  ///< of the recipients
    WallTime time;
    std::vector<TlsSessionResult> results;
  };
  std::optional<TlsResults> tls_results{};
  std::vector<Suppression> suppressions{};  ///< to be listed; ditto
};

}  // namespace waxwing
