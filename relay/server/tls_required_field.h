#pragma once

#include <vector>

#include "signer/header_field.h"

namespace waxwing {

/// Whether a header says "TLS-Required: No", in any case, once. A second such field, or another value, is no
/// permission.
/// @source  RFC 8689 §3
[[nodiscard]] bool says_tls_required_no(const std::vector<HeaderField>& fields);

}  // namespace waxwing
