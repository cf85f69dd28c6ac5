#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/domain_name.h"
#include "relay/server/command.h"
#include "signer/header_field.h"

namespace waxwing {

/// Whether an Authentication-Results field says that it comes from us. Such a field in mail that comes in is forged, or
/// was true of another message. The name is compared as a domain name, whatever its case, A-labels or U-labels; where
/// none can be read, because programs disagree on where the field begins to make sense, our name anywhere in it counts.
/// @param value  of the field, as HeaderField::value
/// @limits  O(octets)
/// @source  RFC 8601 §2.2 and §5
[[nodiscard]] bool claims_authserv_id(std::string_view value, const DomainName& ours);

/// Refuses a message that brings results of authentication under our name. RFC 8601 §5 lets them be removed too; but
/// what an application sends under our name is a mistake or an attack, of which whoever sends it should learn.
/// @param hostname  our name in Authentication-Results
/// @return          no value, or 550 5.7.1
[[nodiscard]] std::optional<ServerReply> check_results(const std::vector<HeaderField>& fields,
                                                       const std::string& hostname);

/// The header block without such fields: what a message brings from elsewhere may have been true of an earlier hop.
[[nodiscard]] std::string without_results_of(const std::vector<HeaderField>& fields, const std::string& hostname);

}  // namespace waxwing
