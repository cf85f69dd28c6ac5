#pragma once

#include <string>
#include <string_view>

#include "policy/domain_name.h"
#include "policy/result.h"
#include "transport/http/http_request.h"
#include "transport/http/http_response_reader.h"

namespace waxwing {

/// The host that serves a domain's MTA-STS policy, and the name its certificate must bear: "mta-sts.<domain>".
/// @source  RFC 8461 §3.3
[[nodiscard]] std::string sts_policy_host(const DomainName& policy_domain);

/// The request for a domain's MTA-STS policy.
/// @source  RFC 8461 §3.3
[[nodiscard]] HttpRequest sts_policy_request(const DomainName& policy_domain, std::string_view user_agent);

/// Takes the policy text out of the response to that request.
/// @errors  Denied: a status other than 200 (redirects are not followed), another media type than text/plain, or over
///          kMaxStsPolicyOctets; the detail says which
/// @source  RFC 8461 §3.2 and §3.3
[[nodiscard]] Result<std::string> take_sts_policy_text(HttpResponse response);

}  // namespace waxwing
