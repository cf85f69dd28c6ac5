#pragma once

#include <string>
#include <vector>

#include "policy/result.h"
#include "relay/cli/sendmail_arguments.h"
#include "relay/cli/sendmail_message.h"

namespace waxwing {

/// Commands that hand an envelope over, to the relay itself or in a file (drop_file.h).
[[nodiscard]] std::string mail_command_of(const LocalMessage& message, const SendmailArguments& arguments);
[[nodiscard]] std::string rcpt_command_of(const std::string& recipient, const SendmailArguments& arguments);

/// Leaves a message for the relay to find: on the disk when this returns.
/// @param first  of the recipients that are to get it
/// @errors  NotFound: there is no such directory; Denied, Exhausted, Unavailable: as the system says
[[nodiscard]] Result<void> drop_message(const std::string& directory, const LocalMessage& message,
                                        const SendmailArguments& arguments, std::size_t first);

}  // namespace waxwing
