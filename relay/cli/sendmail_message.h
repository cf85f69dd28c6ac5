#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"
#include "relay/cli/sendmail_arguments.h"

namespace waxwing {

/// A message as sendmail(8) hands it to the relay.
struct LocalMessage {
  std::string sender;                   ///< address; empty: null reverse-path
  std::vector<std::string> recipients;  ///< addresses, each once
  std::string content;                  ///< CRLF line ends
  bool body_8bit = false;
  bool smtputf8 = false;  ///< an address is not ASCII
};

/// Who calls.
struct Caller {
  std::string user;       ///< login name
  std::string full_name;  ///< of the password file; may be empty
  std::string mail_name;  ///< domain that completes addresses without one
};

/// Makes of the standard input what goes to the relay: line ends become CRLF, a line "From …" of a mailbox in front goes,
/// with -t recipients come from To, Cc and Bcc (with Resent- fields: from theirs), Bcc goes, and From is added where it is
/// missing. Text that does not begin with a field is all body. What else a message needs, the relay does, as for SMTP.
/// @errors  Malformed: no recipient, or an address that is none
[[nodiscard]] Result<LocalMessage> compose_local_message(std::string_view input, const SendmailArguments& arguments,
                                                         const Caller& caller);

/// Addresses in the value of a field such as To, also those in groups; without a domain, `mail_name` completes them.
/// @errors  Malformed: something is no address
[[nodiscard]] Result<std::vector<std::string>> listed_addresses(std::string_view value, std::string_view mail_name);

}  // namespace waxwing
