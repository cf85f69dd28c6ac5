#pragma once

#include <optional>
#include <span>
#include <vector>

#include "policy/dmarc_verdict.h"
#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/spf.h"
#include "signer/arc_chain.h"
#include "signer/authentication_results.h"
#include "signer/dkim_verifier.h"

namespace waxwing {

// Verdicts in the words of Authentication-Results.

/// "dkim=…" for each signature; one "dkim=none" where there is none.
/// @source  RFC 8601 §2.7.1, RFC 6008 §3
[[nodiscard]] std::vector<AuthenticationResults::Method> report_dkim(std::span<const DkimVerdict> verdicts);

/// "arc=…".
/// @param client  where the message came from, if it came over a connection
/// @source  RFC 8617 §6
[[nodiscard]] AuthenticationResults::Method report_arc(const ArcVerdict& verdict,
                                                       const std::optional<IpAddress>& client);

/// "spf=…" for MAIL FROM, or for HELO where the reverse-path is null.
/// @param input  that the verdict was made from; the domain that was checked is reported
/// @source  RFC 8601 §2.7.2
[[nodiscard]] AuthenticationResults::Method report_spf(const SpfVerdict& verdict, const SpfInput& input);

/// "dmarc=…". @source RFC 9989 §8.2, RFC 8601 §2.7
[[nodiscard]] AuthenticationResults::Method report_dmarc(const DmarcVerdict& verdict, const DomainName& author_domain);

}  // namespace waxwing
