#pragma once

#include <memory>
#include <string>
#include <vector>

#include "keys/key_directory.h"
#include "keys/rotation_store.h"
#include "policy/result.h"
#include "relay/config/config.h"

namespace waxwing {

/// Where the keys are when waxwing-signer keeps them and the configuration does not say.
inline constexpr const char* kSignerKeysDirectory = "/var/lib/waxwing-signer/keys";

/// The folder of the private keys: keys.directory, or where the process that signs keeps its own.
[[nodiscard]] std::string keys_directory(const Config& config);

/// The folder above, whose owner is the user that keeps the keys.
[[nodiscard]] std::string keys_parent(const Config& config);

/// What seals keys as the configuration says, or nullptr. A passphrase that neither a file nor a credential holds is asked
/// for at the terminal, where there is one.
/// @errors  as load_sealing_secret() and ask_for_passphrase()
[[nodiscard]] Result<std::shared_ptr<KeySealing>> make_sealing(const Config& config);

/// The keys as files, for the process that may read them.
/// @errors  as make_sealing()
[[nodiscard]] Result<std::unique_ptr<KeyDirectory>> open_keys(const Config& config);

/// The life of the keys, beside their folder.
[[nodiscard]] RotationStore open_states(const Config& config);

/// The keys that may sign now: of a domain whose keys have a life cycle, those that are active in it; of any other, all,
/// since they were made by hand.
[[nodiscard]] std::vector<StoredKey> signing_keys(const std::vector<StoredKey>& keys,
                                                  const std::vector<RotationState>& states);

/// Loads them.
/// @errors  as KeyDirectory::load_all() and RotationStore::load_all()
[[nodiscard]] Result<std::vector<StoredKey>> load_signing_keys(KeyDirectory& keys, const RotationStore& states);

/// When keys or their states were last changed. Cheap.
[[nodiscard]] WallTime last_change_of(const KeyDirectory& keys, const RotationStore& states);

}  // namespace waxwing
