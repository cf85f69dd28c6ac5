#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "relay/daemon/message_sealer.h"
#include "relay/daemon/work_pool.h"
#include "relay/observe/event_log.h"
#include "relay/queue/queued_message.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// What sealing anew works with; all of it outlives the call back.
struct SealAnewServices {
  EventLoop& loop;
  MessageSealer& sealer;
  WorkPool& pool;
  EventLog& log;
  std::string state_directory;
};

/// Gives a released message the signatures that can be proven now, in place of those it has from us. Its body is hashed
/// in the pool. Calls back exactly once, on the loop's thread, never inside the call.
/// @param on_sealed  the message with its new header; that a receiver would still refuse it is logged, and is the
///                   operator's choice
/// @errors  Unavailable: DNS does not answer, so that nothing can be proven; Corrupt or NotFound: the body cannot be
///          read; Malformed: the header cannot be signed; Exhausted: too many signatures wait
void seal_anew(const SealAnewServices& services, QueuedMessage message,
               std::function<void(Result<QueuedMessage>)> on_sealed);

/// The header without the DKIM-Signature fields at its very top, which are ours: a signature of somebody else stands
/// below our Received field.
[[nodiscard]] std::string without_own_signatures(std::string_view header);

}  // namespace waxwing
