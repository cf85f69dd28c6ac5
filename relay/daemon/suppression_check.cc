#include "relay/daemon/suppression_check.h"

#include "relay/queue/suppression.h"

namespace waxwing {

std::optional<ServerReply> check_suppression(QueueReader& reader, const Account& account, const MailAddress& recipient,
                                             WallTime now) {
  const auto found = reader.find_suppression(account.tenant_name(), recipient, now);
  if (!found) return ServerReply{451, "4.3.0", {"the suppression list cannot be read now; try again later"}};
  if (!*found) return std::nullopt;
  return ServerReply{550, "5.7.1", {reply_text(suppression_sentence(**found))}};
}

std::optional<ServerReply> check_suppression(QueueReader& reader, const Account& account, const Envelope& envelope,
                                             WallTime now) {
  for (const EnvelopeRecipient& recipient : envelope.recipients) {
    if (auto refusal = check_suppression(reader, account, recipient.address, now)) return refusal;
  }
  return std::nullopt;
}

}  // namespace waxwing
