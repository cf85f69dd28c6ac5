#pragma once

#include <string>
#include <string_view>

#include "policy/mail_address.h"
#include "policy/time_point.h"

namespace waxwing {

/// A recipient to whom nobody of a tenant may submit, because it is known that nothing arrives there, or because an operator
/// said so.
struct Suppression {
  std::string tenant;  ///< Account::tenant_name()
  MailAddress address;
  std::string reason;  ///< one sentence; a remote server may have written it
  WallTime since;
  WallTime until;  ///< kNoSuppressionEnd: for good
};

/// Year 9000: later than any time that is asked about.
inline constexpr WallTime kNoSuppressionEnd = std::chrono::sys_days{std::chrono::year{9000} / 1 / 1};

/// Whether a permanent failure with this enhanced status code says that the mailbox itself is of no use: it does not exist
/// (5.1.1), is no mailbox (5.1.3), has moved without an address (5.1.6), is in a domain that takes no mail (5.1.10), or is
/// disabled (5.2.1).
/// @source  RFC 3463 §3.2 and §3.3, RFC 7505 §4.1
[[nodiscard]] bool is_bad_mailbox(std::string_view status);

/// The sentence with which a submission to the address is refused, for clients.
[[nodiscard]] std::string suppression_sentence(const Suppression& suppression);

}  // namespace waxwing
