#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "policy/result.h"

namespace waxwing {

/// Runs a command of admin_commands.h for the command line and waits for the answer: by the relay when one listens in
/// `run_directory`, else on the store itself, under its lock. Asks on until the answer is complete. Blocks.
/// @param request  as run_admin_command() takes it; a member "password" is hashed here and sent as "password_hash"
/// @return  the lines of the answer
/// @errors  those of the command; Denied: the control socket or the state directory belongs to another user;
///          Conflict: another process has the store but does not listen; NotFound: there is no state directory;
///          Unavailable: the relay does not answer
/// @limits  kMaxAdminLines lines, then Exhausted
[[nodiscard]] Result<std::vector<nlohmann::json>> run_admin(const std::string& run_directory,
                                                            const std::string& state_directory, nlohmann::json request);

}  // namespace waxwing
