#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/mail_address.h"
#include "policy/time_point.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// What is reported about a recipient. @source RFC 3464 §2.3.3
enum class ReportedAction : std::uint8_t {
  Failed,
  Delayed,
  Relayed  ///< handed to the next host, which may make no report of what comes of it
};

/// A recipient that its sender is to learn of, and what is known of why. The texts may come from a remote server.
struct ReportedRecipient {
  MailAddress address;
  std::string status{};        ///< enhanced status code; anything else is reported as "5.0.0"
  std::string reason{};        ///< one sentence for people
  std::string remote_reply{};  ///< what the remote server said; empty: nothing
  std::string mx_name{};       ///< of the remote server; empty: none was reached
  WallTime last_attempt{};
  ReportedAction action = ReportedAction::Failed;
  std::string original_recipient{};  ///< RecipientNotice::original_recipient
};

/// Whether the sender is to be told, given what it asked for this recipient.
/// @source  RFC 3461 §4.1: failures are reported unless something else was asked for, delays and relaying only when asked
[[nodiscard]] bool is_wanted(ReportedAction action, const RecipientNotice& notice);

/// Whether the sender of a message with BY= is to be told that it was late, or handed on: unless it asked not to be.
/// @source  RFC 2852 §4.1.3 and §4.1.4
[[nodiscard]] bool is_wanted_of_time(ReportedAction action, const RecipientNotice& notice);

/// Whether a report of failure carries all of the message: the sender asked for it with RET=FULL, and it is small and in
/// 7-bit ASCII, so that no report needs a transport that its way back may not have.
/// @source  RFC 3461 §4.3
[[nodiscard]] bool is_returned_whole(const QueuedMessage& message);

struct BounceOptions {
  std::string hostname;  ///< of this relay: sends as postmaster@hostname
  WallTime now;
  Seconds lifetime{0};     ///< until the report itself expires
  std::uint64_t seed = 0;  ///< random: makes the MIME boundary unpredictable to whoever wrote the original
};

/// Composes the delivery status notifications that tell the sender of `original` about recipients. Each is about one
/// action: a multipart/report with a text for people, the machine-readable part, and the header of the original, or all
/// of it where it failed and is_returned_whole(); all in printable ASCII and at most kMaxInlineBodyOctets, so that nothing a remote server says can become a
/// header field or a MIME part. They have a null reverse-path and are not signed yet.
/// @param original  its body must be there only when it is_returned_whole()
/// @param reported  is_wanted() has been asked already
/// @param ids       gives each report its queue id
/// @return  empty for a null reverse-path, which is never answered (RFC 5321 §4.5.5); else as few reports as the limit
///          of octets allows, usually one
/// @source  RFC 3461 §6, RFC 3464 §2, RFC 6522 §3 and §4, RFC 3834 §5, RFC 6533 §3
[[nodiscard]] std::vector<QueuedMessage> compose_bounces(const QueuedMessage& original,
                                                         const std::vector<ReportedRecipient>& reported,
                                                         const BounceOptions& options, QueueIdSource& ids);

}  // namespace waxwing
