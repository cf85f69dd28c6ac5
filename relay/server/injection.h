#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "relay/server/server_engine.h"

namespace waxwing {

/// A message that came as JSON.
struct Injection {
  Envelope envelope;  ///< its timing is not resolved yet
  TimingRequest timing{};
  std::string content;  ///< as the client wrote it, or composed by us with CRLF
};

/// Reads the body of POST /v1/messages: an object that is either structured
///
///   from, reply_to                  an address: "a@b.example", "Name <a@b.example>" or {"name": …, "email": …}
///   to, cc, bcc                     an address or an array of them; bcc stands in the envelope alone
///   subject, text, html             strings
///   headers                         an object of other fields, name to value
///
/// or {"raw": …}, a message of RFC 5322 as a string, or {"raw_base64": …}. With any of them may stand the envelope:
/// mail_from (an address, "" for <>; else that of from) and rcpt_to (an array; else all of to, cc and bcc, which raw has
/// not), notify, ret and envid (RFC 3461), hold_for or hold_until (RFC 4865) and by (RFC 2852). A member that is not known, or stands twice, is an error.
/// @errors  Malformed: a sentence that names the member
/// @limits  kMaxJsonDepth, kMaxInjectedRecipients
[[nodiscard]] Result<Injection> parse_injection(std::string_view body);

inline constexpr int kMaxJsonDepth = 4;
inline constexpr std::size_t kMaxInjectedRecipients = 10'000;

}  // namespace waxwing
