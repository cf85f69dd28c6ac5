#pragma once

#include <string>
#include <vector>

#include "policy/result.h"
#include "relay/cli/sendmail_arguments.h"
#include "relay/cli/sendmail_message.h"

namespace waxwing {

/// How a message was not taken.
struct LocalRefusal {
  int status = 0;        ///< of sysexits.h
  std::string sentence;  ///< the relay's, or why it cannot be asked
  bool later = false;    ///< the relay cannot be asked now, or cannot take anything now: the message may wait for it
};

/// Hands a message to the relay through its unix socket, which knows the user that calls. Blocks.
/// @param first  of the recipients to hand over; afterwards, the first that was not accepted yet
/// @limits  kReplyTimeout for each reply
[[nodiscard]] tl::expected<void, LocalRefusal> submit_locally(const std::string& socket_path,
                                                              const LocalMessage& message,
                                                              const SendmailArguments& arguments, std::size_t& first);

/// Connects standard input and output with the socket, until one side ends.
[[nodiscard]] tl::expected<void, LocalRefusal> relay_dialogue(const std::string& socket_path);

}  // namespace waxwing
