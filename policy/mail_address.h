#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "policy/domain_name.h"
#include "policy/result.h"

namespace waxwing {

/// A mailbox as SMTP carries it (RFC 5321 §4.1.2 Mailbox, RFC 6531 §3.3), without angle brackets and source route.
/// The local part keeps its spelling, quotes included, since only the destination may interpret it.
struct MailAddress {
  std::string local_part;  ///< as received: a Dot-string or a Quoted-string with its quotes; 1 to 64 octets
  DomainName domain;

  /// Reads `local@domain`.
  /// @errors  Malformed: no local part or domain, an octet that the grammar forbids, a part over its length limit
  ///          (64 and 255 octets, 254 in total), an address literal such as `[192.0.2.1]`
  /// @source  RFC 5321 §4.1.2 and §4.5.3.1, RFC 6531 §3.3
  [[nodiscard]] static Result<MailAddress> parse(std::string_view text);

  /// `local_part@domain` with the domain in A-labels.
  [[nodiscard]] std::string str() const;

  friend auto operator<=>(const MailAddress&, const MailAddress&) = default;
};

}  // namespace waxwing
