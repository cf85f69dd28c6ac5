#pragma once

#include <cstdint>
#include <string_view>

namespace waxwing {

/// How far a delivery had come when something was decided about it: what a reply means depends on what it answers.
enum class DeliveryStage : std::uint8_t {
  None,      ///< no host was asked: DNS, policy, or our own limits
  Connect,   ///< TCP
  Greeting,  ///< up to the greeting
  Ehlo,      ///< EHLO, in clear or inside TLS
  Tls,       ///< STARTTLS and the handshake
  Login,     ///< AUTH
  Mail,      ///< RSET and MAIL
  Rcpt,
  Data,     ///< the leave to send the content
  Content,  ///< from the first octet of the content to the verdict on it
};

/// "none", "connect", "greeting", "ehlo", "tls", "login", "mail", "rcpt", "data", "content".
[[nodiscard]] std::string_view delivery_stage_name(DeliveryStage stage);

}  // namespace waxwing
