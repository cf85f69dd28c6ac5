#pragma once

#include <string_view>
#include <vector>

#include "policy/mail_address.h"
#include "policy/result.h"

namespace waxwing {

inline constexpr std::size_t kMaxMailboxes = 100;
inline constexpr int kMaxCommentDepth = 20;

/// Reads the addresses of a header field made of mailboxes and groups (From, Sender, Reply-To), in order. Reads the
/// obsolete forms too: comments anywhere, source routes, dots in names, empty list elements. Refuses whatever programs
/// read differently, such as an unquoted "@" in a display name, since a reader could be shown another author than the
/// one checked.
/// @param value  as HeaderField::value, folds included
/// @errors  Malformed: breaks the grammar, an address literal, a control character, comments nested deeper than
///          kMaxCommentDepth; Exhausted: more than kMaxMailboxes
/// @limits  linear; no recursion
/// @source  RFC 5322 §3.4 and §4.4, RFC 6854 §2.1, RFC 6532 §3.2
[[nodiscard]] Result<std::vector<MailAddress>> parse_mailbox_list(std::string_view value);

}  // namespace waxwing
