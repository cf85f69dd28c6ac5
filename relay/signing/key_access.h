#pragma once

#include <memory>
#include <string>

#include "keys/key_directory.h"
#include "policy/result.h"
#include "relay/config/config.h"

namespace waxwing {

/// Where the keys are when waxwing-signer keeps them and the configuration does not say.
inline constexpr const char* kSignerKeysDirectory = "/var/lib/waxwing-signer/keys";

/// The folder of the private keys: keys.directory, or where the process that signs keeps its own.
[[nodiscard]] std::string keys_directory(const Config& config);

/// The folder above, whose owner is the user that keeps the keys.
[[nodiscard]] std::string keys_parent(const Config& config);

/// What seals keys as the configuration says, or nullptr.
/// @errors  as load_sealing_secret()
[[nodiscard]] Result<std::shared_ptr<KeySealing>> make_sealing(const Config& config);

/// The keys as files, for the process that may read them.
/// @errors  as make_sealing()
[[nodiscard]] Result<std::unique_ptr<KeyDirectory>> open_keys(const Config& config);

}  // namespace waxwing
