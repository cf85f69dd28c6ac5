#pragma once

#include <functional>
#include <memory>
#include <string>

#include "keys/key_directory.h"
#include "keys/rotation_store.h"
#include "policy/result.h"
#include "relay/cli/output.h"
#include "relay/cli/rotation_commands.h"
#include "relay/cli/streams.h"
#include "relay/config/config.h"

namespace waxwing {

/// Builds what the commands about the life of keys work on, from the configuration, and lets them work.
/// @param who   for the audit log
/// @param work  called with a desk that lasts as long as the call
/// @errors      those of `work`; NotFound, Denied or Malformed: the TSIG key cannot be read
[[nodiscard]] Result<bool> at_rotation_desk(const Config& config, const std::string& who, CliStreams streams,
                                            Output& output,
                                            const std::function<Result<bool>(const RotationDesk&)>& work);

/// Who gives a command: the user behind sudo, or the user of this process. To be asked before a change of user.
[[nodiscard]] std::string operator_name();

}  // namespace waxwing
