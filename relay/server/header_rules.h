#pragma once

#include <optional>
#include <vector>

#include "relay/server/command.h"
#include "signer/header_field.h"

namespace waxwing {

/// Refuses a header that programs read differently, so that what one of them checks or shows is not what another does:
/// blank between name and colon, a fold that holds nothing but blank, a control character, or a second field where
/// RFC 5322 §3.6 allows one.
/// @return  no value, or the reply that names the field: 550 5.6.0
/// @source  RFC 5322 §2.2, §3.6 and §4.5
[[nodiscard]] std::optional<ServerReply> check_header_form(const std::vector<HeaderField>& fields);

/// Whether a field must not leave: Bcc and Resent-Bcc, whose readers are nobody's business; Return-Path, which only the
/// last server writes; and Content-Length, which some programs believe.
/// @source  RFC 5322 §3.6.3, RFC 5321 §4.4
[[nodiscard]] bool is_withheld(const HeaderField& field);

}  // namespace waxwing
