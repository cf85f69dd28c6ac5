#pragma once

#include <span>
#include <vector>

#include "policy/domain_name.h"
#include "policy/mail_address.h"
#include "policy/result.h"
#include "signer/header_field.h"

namespace waxwing {

/// The authors of a message: the addresses of its one From field, in order, at least one.
/// @errors  NotFound: no From field; Conflict: several From fields; otherwise as parse_mailbox_list(), and Malformed
///          when the field names nobody
/// @source  RFC 5322 §3.6 and §3.6.2
[[nodiscard]] Result<std::vector<MailAddress>> read_authors(std::span<const HeaderField> header);

/// The domain that DMARC checks.
/// @param authors  as read_authors() returns them
/// @errors  Conflict: the authors belong to different domains, so that there is no single one to check
/// @source  RFC 9989 (author domain)
[[nodiscard]] Result<DomainName> sole_author_domain(std::span<const MailAddress> authors);

}  // namespace waxwing
