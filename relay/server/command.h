#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/delivery_notice.h"
#include "policy/delivery_timing.h"
#include "policy/mail_address.h"
#include "policy/result.h"
#include "policy/secret.h"
#include "relay/server/xclient.h"

namespace waxwing {

/// What a client may say, one type per command of RFC 5321 §4.1.1 and its extensions.
struct HeloCommand {
  std::string name;
  bool extended = false;  ///< EHLO, LHLO
  bool local = false;     ///< LHLO of RFC 2033
};
struct StartTlsCommand {};
struct AuthCommand {
  std::string mechanism;                   ///< lower case
  std::optional<Secret> initial_response;  ///< base64 as sent; "=" is an empty response
};
struct MailCommand {
  std::optional<MailAddress> reverse_path;   ///< no value: <>
  std::optional<std::uint64_t> size_octets;  ///< SIZE= of RFC 1870
  bool body_8bit = false;                    ///< BODY=8BITMIME of RFC 6152
  bool smtputf8 = false;                     ///< SMTPUTF8 of RFC 6531
  bool require_tls = false;                  ///< REQUIRETLS of RFC 8689
  MessageNotice notice{};                    ///< RET= and ENVID= of RFC 3461
  TimingRequest timing{};                    ///< HOLDFOR= and HOLDUNTIL= of RFC 4865, BY= of RFC 2852
  bool ascii = true;                         ///< no octet over 127 in the address
};
struct RcptCommand {
  std::optional<MailAddress> recipient;  ///< no value: <postmaster>, of this host
  RecipientNotice notice{};              ///< NOTIFY= and ORCPT= of RFC 3461
  bool ascii = true;                     ///< no octet over 127 in the address and the original recipient
};
struct DataCommand {};
struct BdatCommand {
  std::optional<std::uint64_t> size_octets;  ///< no value: cannot be read, so that nobody knows where the chunk ends
  bool last = false;
};
struct RsetCommand {};
struct NoopCommand {};
struct QuitCommand {};
struct VrfyCommand {};
struct HelpCommand {};
struct XclientCommand {
  Result<XclientFacts> facts;  ///< looked at only where XCLIENT is offered
};
struct HttpRequest {};  ///< a browser that was talked into this port; its header and body are not for us

using Command =
    std::variant<HeloCommand, StartTlsCommand, AuthCommand, MailCommand, RcptCommand, DataCommand, BdatCommand,
                 RsetCommand, NoopCommand, QuitCommand, VrfyCommand, HelpCommand, XclientCommand, HttpRequest>;

/// A reply of ours: what `str()` makes of it goes to the wire.
struct ServerReply {
  int code = 250;
  std::string enhanced_code;       ///< empty where RFC 2034 §4 forbids one (banner, EHLO, 354, AUTH challenges)
  std::vector<std::string> lines;  ///< at least one; printable ASCII

  [[nodiscard]] std::string str() const;
};

/// A text of any origin as it may stand in a reply: printable ASCII, and no longer than one line may be.
/// @source  RFC 5321 §4.5.3.1.5
[[nodiscard]] std::string reply_text(std::string_view text);

/// Reads a command line (without CRLF).
/// @return  the command, or the reply that tells what is wrong with it: 500 5.5.2 unknown, 501 5.5.4 parameter,
///          501 5.1.3 and 5.1.7 address, 555 5.5.4 unknown ESMTP parameter
/// @limits  kMaxCommandOctets
/// @source  RFC 5321 §4.1.1 and §4.1.2, RFC 4954 §4, RFC 1870 §6.1, RFC 6152 §2, RFC 3030 §2, RFC 6531 §3.4, RFC 8689
/// §2, RFC 3461 §4, RFC 4865 §3, RFC 2852 §4
[[nodiscard]] tl::expected<Command, ServerReply> parse_command(std::string_view line);

/// Longest command line including CRLF, but for AUTH and its responses.
inline constexpr std::size_t kMaxCommandOctets = 2'048;
/// Longest AUTH line or response including CRLF. @source RFC 4954 §4
inline constexpr std::size_t kMaxAuthLineOctets = 12'288;

}  // namespace waxwing
