#pragma once

#include "relay/queue/bounce_class.h"
#include "relay/queue/retry_schedule.h"

namespace waxwing {

/// Tells how soon it is worth trying again, by what stands behind a failure that may pass. All paces use the delays that
/// the operator chose; they differ in where they begin and how far they go:
/// - a greylist opens after minutes, and not before: up to the third delay, never earlier than it says;
/// - what is wrong with our own end, such as DNS that does not answer, is over for all mail at once: up to the second
///   delay, spread widely, so that whatever was at fault is not asked by all at the same time;
/// - what TLS or the sender's authentication did not prove is mended by somebody: from the second delay on;
/// - a host that wants less, or does not want this mail, hears less of it: from the third delay on;
/// - a mailbox that is full is emptied by a person: from the fifth delay on;
/// - all else, a host that cannot be reached above all: the delays as they stand. How often its hosts are knocked at is
///   for DestinationConcurrency to say.
[[nodiscard]] RetryPace retry_pace(const BounceEvidence& evidence);

}  // namespace waxwing
