#pragma once

#include "policy/mail_address.h"
#include "relay/queue/account.h"

namespace waxwing {

/// Whether an account may use an address as envelope sender or author: no rules allow any; a rule is an address
/// ("a@example.org", compared without regard to case), a domain ("example.org") or all domains below one
/// ("*.example.org").
[[nodiscard]] bool sender_allowed(const Account& account, const MailAddress& address);

}  // namespace waxwing
