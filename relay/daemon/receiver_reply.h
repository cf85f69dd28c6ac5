#pragma once

#include "relay/delivery/first_outcome.h"
#include "relay/queue/queued_message.h"
#include "relay/server/command.h"

namespace waxwing {

// What a client that waited for its receiver is told: code, status and text of the receiver, then who it was.

/// "250 2.0.0 Ok: queued as 4F2 (mx.far.example); queued here as 0P…"
/// @param outcome  Delivered
[[nodiscard]] ServerReply receiver_acceptance(const FirstOutcome& outcome, QueueId id);

/// "550 5.1.1 no such user (mx.far.example)". Where no host was asked, 550 with our own sentence.
/// @param outcome  Refused
[[nodiscard]] ServerReply receiver_refusal(const FirstOutcome& outcome);

}  // namespace waxwing
