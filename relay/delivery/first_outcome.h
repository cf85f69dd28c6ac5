#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "relay/delivery/attempt_result.h"
#include "relay/queue/attempt_record.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// What the first attempt came to, for a client that waits for it (cut-through).
struct FirstOutcome {
  enum class Kind {
    Queued,     ///< not known yet, or not the same for all recipients: what becomes of it is told by reports
    Delivered,  ///< to all recipients
    Refused,    ///< for all recipients and for good: the client is to be told, and there is no other report
  };
  Kind kind = Kind::Queued;
  std::string mx_name{};       ///< host that answered; empty: none was asked
  std::string status{};        ///< enhanced status code
  std::string remote_reply{};  ///< on one line, with its code; empty: there was none
  std::string reason{};        ///< one sentence
};

/// Whether one answer can be right for all recipients: they share a domain, are few enough for one attempt, and may be tried now.
/// @param most  recipients of one attempt
[[nodiscard]] bool has_first_outcome(const QueuedMessage& message, std::size_t most, WallTime now);

/// What to tell a client that waits.
/// @param record      of this attempt
/// @param recipients  how many the message has
/// @return  Queued unless the attempt settled all recipients of the message in the same way
[[nodiscard]] FirstOutcome first_outcome(const AttemptResult& result, const AttemptRecord& record,
                                         std::size_t recipients);

}  // namespace waxwing
