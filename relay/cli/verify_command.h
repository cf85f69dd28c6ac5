#pragma once

#include <string>

#include "policy/result.h"
#include "relay/cli/output.h"
#include "relay/cli/streams.h"
#include "relay/config/config.h"
#include "relay/daemon/verify_message.h"

namespace waxwing {

/// What `waxwing verify` is given.
struct MessageToVerify {
  std::string file;       ///< "-": standard input
  std::string client;     ///< address that it came from; empty: not known, SPF is not judged
  std::string helo;       ///< empty: not known
  std::string mail_from;  ///< "" and "<>": null
};

/// Judges a message and prints the result.
/// @return  whether a receiver would accept it
/// @errors  NotFound or Denied: the file; Malformed: an argument, or no message; as verify_message()
[[nodiscard]] Result<bool> verify_file(const Config& config, const MessageToVerify& arguments, CliStreams streams,
                                       Output& output);

/// Prints a verdict as an Authentication-Results field and a sentence; as JSON one object.
void print_verdict(const ReceivedVerdict& verdict, const std::string& authserv_id, const ReceivedEnvelope& envelope,
                   Output& output);

}  // namespace waxwing
