#include "relay/queue/retry_pace.h"

namespace waxwing {
namespace {

// DNS that does not answer, or something of ours that cannot be read: no host was asked.
bool is_local(const BounceEvidence& evidence) {
  const bool status_of_ours = evidence.status == "4.4.3" || evidence.status.starts_with("4.3.");
  return evidence.stage == DeliveryStage::None && evidence.reply.empty() && status_of_ours;
}

RetryPace beginning_with(std::size_t delay) {
  RetryPace pace;
  pace.skipped = delay - 1;
  return pace;
}

RetryPace up_to(std::size_t delay, std::int64_t least_permille, std::int64_t most_permille) {
  return {0, delay, least_permille, most_permille};
}

}  // namespace

RetryPace retry_pace(const BounceEvidence& evidence) {
  if (is_local(evidence)) return up_to(2, 500, kMostSpreadPermille);
  switch (classify_bounce(evidence)) {
    case BounceClass::Greylisting:
      return up_to(3, 1'000, 1'200);
    case BounceClass::Tls:
    case BounceClass::Authentication:
      return beginning_with(2);
    case BounceClass::Rate:
    case BounceClass::Policy:
    case BounceClass::Spam:
    case BounceClass::Reputation:
      return beginning_with(3);
    case BounceClass::Quota:
      return beginning_with(5);
    case BounceClass::Unclassified:
    case BounceClass::BadMailbox:
    case BounceClass::BadDomain:
    case BounceClass::Size:
    case BounceClass::Content:
    case BounceClass::Protocol:
    case BounceClass::Infrastructure:
      break;
  }
  return evidence.reply.starts_with("421") ? beginning_with(3) : RetryPace{};  // RFC 5321 §3.8: it wants to be left
}

}  // namespace waxwing
