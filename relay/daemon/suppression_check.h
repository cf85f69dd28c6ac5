#pragma once

#include <optional>

#include "relay/queue/account.h"
#include "relay/server/command.h"
#include "relay/server/server_engine.h"
#include "relay/store/queue_reader.h"

namespace waxwing {

/// Whether an account may submit to a recipient, as the suppression list of its tenant says at this moment.
/// @return  no value, or the reply that refuses: 550 5.7.1, or 451 4.3.0 when the list cannot be read
[[nodiscard]] std::optional<ServerReply> check_suppression(QueueReader& reader, const Account& account,
                                                           const MailAddress& recipient, WallTime now);

/// The same for all recipients of a message that comes as a whole: the refusal names the first that is suppressed.
[[nodiscard]] std::optional<ServerReply> check_suppression(QueueReader& reader, const Account& account,
                                                           const Envelope& envelope, WallTime now);

}  // namespace waxwing
