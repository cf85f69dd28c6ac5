#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/mail_address.h"
#include "policy/result.h"

namespace waxwing {

struct InjectedMailbox {
  std::string name;  ///< display name without quotes; may be empty
  MailAddress address;
};

/// A message in parts; no text holds control characters but those of text and html.
struct StructuredMessage {
  std::optional<InjectedMailbox> from{};
  std::vector<InjectedMailbox> to{};
  std::vector<InjectedMailbox> cc{};
  std::vector<InjectedMailbox> reply_to{};
  std::string subject{};
  std::vector<std::pair<std::string, std::string>> headers{};  ///< other fields
  std::string text{};                                          ///< UTF-8, any line ends
  std::string html{};
};

/// Composes a message of RFC 5322 and MIME in ASCII, with CRLF; what a message needs besides (Date, Message-ID), the
/// intake adds. Octets depend on the message alone.
/// @errors  Malformed: a field cannot be said in ASCII
/// @source  RFC 2045 §6.8, RFC 2046 §5.1.4, RFC 2047
[[nodiscard]] Result<std::string> compose_content(const StructuredMessage& message);

}  // namespace waxwing
