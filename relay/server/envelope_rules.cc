#include "relay/server/envelope_rules.h"

#include <fmt/format.h>

#include "relay/server/sender_rules.h"

namespace waxwing {

std::optional<ServerReply> check_envelope(const Account& account, const Envelope& envelope,
                                          std::size_t max_recipients) {
  if (envelope.reverse_path && !sender_allowed(account, *envelope.reverse_path)) {
    return ServerReply{
        550,
        "5.7.1",
        {reply_text(fmt::format("account {} may not send as {}", account.name, envelope.reverse_path->str()))}};
  }
  if (envelope.recipients.empty()) return ServerReply{554, "5.5.1", {"no valid recipients"}};
  if (envelope.recipients.size() > max_recipients)
    return ServerReply{550, "5.5.3", {fmt::format("a message has at most {} recipients", max_recipients)}};
  return std::nullopt;
}

}  // namespace waxwing
