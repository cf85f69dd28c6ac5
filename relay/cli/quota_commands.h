#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "policy/result.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"

namespace waxwing {

// Commands about what an account or a tenant may use. `owner` is "account" or "tenant".
// @errors  NotFound: there is none of that name; as AskRelay

/// Limits by name ("messages_per_hour"), and what happens over them: "hold", "reject", or empty where that stays.
struct LimitChange {
  std::map<std::string, std::uint64_t> limits;
  std::string over_limit;
};

[[nodiscard]] Result<void> show_quota(const AskRelay& ask, const std::string& owner, const std::string& name,
                                      Output& output);
[[nodiscard]] Result<void> change_limits(const AskRelay& ask, const std::string& owner, const std::string& name,
                                         const LimitChange& change, Output& output);
[[nodiscard]] Result<void> hold_owner(const AskRelay& ask, const std::string& owner, const std::string& name,
                                      const std::string& reason, Output& output);
[[nodiscard]] Result<void> release_owner(const AskRelay& ask, const std::string& owner, const std::string& name,
                                         Output& output);
[[nodiscard]] Result<void> add_tenant(const AskRelay& ask, const std::string& name, Output& output);
[[nodiscard]] Result<void> list_tenants(const AskRelay& ask, Output& output);

}  // namespace waxwing
