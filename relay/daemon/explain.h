#pragma once

#include <nlohmann/json_fwd.hpp>

#include "policy/mail_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/config/config.h"

namespace waxwing {

/// What a probe is about.
enum class ProbedProtection {
  Any,   ///< what a delivery would ask for now: rules and exceptions of the relay, and the policies that it keeps
  Dane,  ///< what the domain publishes, by DANE
  Sts,   ///< ditto by MTA-STS: the policy is fetched, and each host must have a certificate by a public authority
};

/// Finds out what would happen to mail for an address, without connecting to its hosts: MX, DNSSEC states, TLSA,
/// MTA-STS (its policy is fetched unless the relay's cache has it) and the requirement of each host; or the same about the
/// hosts of the route that its mail takes. Blocks for as long as DNS takes.
/// @param tenant  of the account that would submit; empty: of none
/// @return  as plan_json(), with "address"
/// @errors  Unavailable: the time limit has passed; Malformed or NotFound: the authorities' file cannot be read
/// @limits  kExplainTimeLimit
[[nodiscard]] Result<nlohmann::json> explain_address(const Config& config, const MailAddress& address,
                                                     const std::string& tenant);

/// Finds out the same for a domain, and opens a session with each host that may be used, as a delivery would, without
/// any mail and without a login. Only what is Any is about a route.
/// @return  as probe_json(); of Dane and Sts with "protected" (a flag) and "findings" (sentences: why it is not)
/// @errors  as explain_address()
/// @limits  kProbeTimeLimit
[[nodiscard]] Result<nlohmann::json> probe_domain(const Config& config, const DomainName& domain, ProbedProtection by);

inline constexpr Milliseconds kExplainTimeLimit{90'000};
inline constexpr Milliseconds kProbeTimeLimit{400'000};  ///< beyond delivery.reply_timeout as it is by default

}  // namespace waxwing
