#include "relay/delivery/report_composer.h"

#include <utility>

namespace waxwing {

std::vector<QueuedMessage> ReportComposer::compose(QueuedMessage original,
                                                   const std::vector<ReportedRecipient>& reported, WallTime now) {
  if (original.reverse_path && options_.original_sender)
    original.reverse_path = options_.original_sender(*original.reverse_path);
  const BounceOptions options{options_.hostname, now, options_.lifetime, options_.seed ^ original.id.value() ^ ++made_};
  return compose_bounces(original, reported, options, ids_);
}

}  // namespace waxwing
