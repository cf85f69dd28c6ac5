#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/mail_address.h"
#include "policy/time_point.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// A recipient that mail will not reach, and what is known of why. The texts may come from a remote server.
struct FailedRecipient {
  MailAddress address;
  std::string status{};        ///< enhanced status code; anything else is reported as "5.0.0"
  std::string reason{};        ///< one sentence for people
  std::string remote_reply{};  ///< what the remote server said; empty: nothing
  std::string mx_name{};       ///< of the remote server; empty: none was reached
  WallTime last_attempt{};
};

struct BounceOptions {
  std::string hostname;  ///< of this relay: sends as postmaster@hostname
  WallTime now;
  Seconds lifetime{0};     ///< until the report itself expires
  std::uint64_t seed = 0;  ///< random: makes the MIME boundary unpredictable to whoever wrote the original
};

/// Composes the delivery status notifications that tell the sender of `original` about recipients that failed. Each is
/// a multipart/report with a text for people, the machine-readable part, and the header of the original, without its
/// body; all in printable ASCII and at most kMaxInlineBodyOctets, so that nothing a remote server says can become a
/// header field or a MIME part. They have a null reverse-path and are not signed yet.
/// @param original  header and reverse_path are used; its body need not be there
/// @param ids       gives each report its queue id
/// @return  empty for a null reverse-path, which is never answered (RFC 5321 §4.5.5); else as few reports as the limit
///          of octets allows, usually one
/// @source  RFC 3464 §2, RFC 6522 §3 and §4, RFC 3834 §5, RFC 6533 §3
[[nodiscard]] std::vector<QueuedMessage> compose_bounces(const QueuedMessage& original,
                                                         const std::vector<FailedRecipient>& failed,
                                                         const BounceOptions& options, QueueIdSource& ids);

}  // namespace waxwing
