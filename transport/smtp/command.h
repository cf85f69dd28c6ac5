#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policy/delivery_notice.h"
#include "policy/delivery_timing.h"
#include "policy/mail_address.h"
#include "transport/smtp/extensions.h"

namespace waxwing {

/// What MAIL says about the content.
struct MailParameters {
  std::uint64_t size_octets = 0;
  bool needs_8bit = false;
  bool needs_smtputf8 = false;
  bool require_tls = false;
  MessageNotice notice{};
  std::optional<ByValue> by{};
};

/// "MAIL FROM:<…> SIZE=… BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=… ENVID=… BY=…" and CRLF; each parameter only where the server
/// offers it.
/// @source  RFC 5321 §4.1.1.2, RFC 1870 §6, RFC 6152 §2, RFC 6531 §3.4, RFC 8689 §2, RFC 3461 §5.2.1, RFC 2852 §4.1.4
[[nodiscard]] std::string mail_command(const std::optional<MailAddress>& reverse_path, const MailParameters& parameters,
                                       const SmtpExtensions& extensions);

/// "RCPT TO:<…> NOTIFY=… ORCPT=…" and CRLF; each parameter only where the server offers it.
/// @source  RFC 5321 §4.1.1.3, RFC 3461 §5.2.1
[[nodiscard]] std::string rcpt_command(const MailAddress& recipient, const RecipientNotice& notice,
                                       const SmtpExtensions& extensions);

}  // namespace waxwing
