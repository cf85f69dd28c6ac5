#pragma once

#include <tl/expected.hpp>
#include <vector>

#include "policy/domain_name.h"
#include "relay/queue/account.h"
#include "relay/server/command.h"
#include "signer/header_field.h"

namespace waxwing {

/// Decides whether a header may speak in the names it gives: From, Sender, Resent-From and Resent-Sender must name
/// addresses that the account may use, and show no others, be it in a display name, a comment or an encoded word.
/// Writings that programs read differently (groups, source routes, comments inside an address) are refused.
/// @return  the domain that DMARC checks, or the reply that refuses: 550 5.6.0 for the form, 550 5.7.1 for the name
/// @source  RFC 6409 §6.1 and §8.1, RFC 5322 §3.6.2 and §3.6.6
[[nodiscard]] tl::expected<DomainName, ServerReply> check_authors(const std::vector<HeaderField>& fields,
                                                                  const Account& account);

}  // namespace waxwing
