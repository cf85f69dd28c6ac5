#pragma once

#include <functional>
#include <string>

#include "policy/domain_name.h"
#include "relay/daemon/message_intake.h"
#include "relay/daemon/message_sealer.h"
#include "relay/queue/account.h"
#include "relay/queue/queued_message.h"
#include "relay/server/server_engine.h"

namespace waxwing {

/// Signs a message of our own. One that cannot be signed comes back as it was: its reader must learn what it says.
/// @param author  the name of this host
void seal_report(MessageSealer& sealer, const DomainName& author, QueuedMessage report,
                 std::function<void(QueuedMessage)> on_sealed);

/// A message that was taken over for its sender, and then refused for good.
struct RefusedMessage {
  Envelope envelope;  ///< its sender has been found to be the account's
  Account account;
  std::string header;
  ServerReply refusal;
};

/// Tells the sender by a delivery status notification in the queue; nothing to tell for a null reverse-path, or where
/// NOTIFY=NEVER stands.
/// @source  RFC 5321 §6.1
void report_refused(IntakeServices& services, const RefusedMessage& refused);

}  // namespace waxwing
