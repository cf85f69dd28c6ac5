#pragma once

#include <optional>

#include "relay/queue/account.h"
#include "relay/server/command.h"
#include "relay/server/server_engine.h"

namespace waxwing {

/// What MAIL and RCPT would have refused, for an envelope that did not come by SMTP.
/// @return  no value: the account may send it
[[nodiscard]] std::optional<ServerReply> check_envelope(const Account& account, const Envelope& envelope,
                                                        std::size_t max_recipients);

}  // namespace waxwing
