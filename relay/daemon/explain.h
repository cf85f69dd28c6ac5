#pragma once

#include <nlohmann/json_fwd.hpp>

#include "policy/mail_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/config/config.h"

namespace waxwing {

/// Finds out what would happen to mail for an address, without connecting to its hosts: MX, DNSSEC states, TLSA,
/// MTA-STS (its policy is fetched unless the relay's cache has it) and the requirement of each host. Blocks for as long
/// as DNS takes.
/// @return  as plan_json(), with "address"
/// @errors  Unavailable: the time limit has passed; Malformed or NotFound: the authorities' file cannot be read
/// @limits  kExplainTimeLimit
[[nodiscard]] Result<nlohmann::json> explain_address(const Config& config, const MailAddress& address);

inline constexpr Milliseconds kExplainTimeLimit{90'000};

}  // namespace waxwing
