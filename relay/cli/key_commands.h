#pragma once

#include <string>
#include <vector>

#include "keys/key_directory.h"
#include "keys/key_store.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/cli/key_import.h"
#include "relay/cli/output.h"
#include "relay/config/config.h"

namespace waxwing {

/// Which keys `keys create` makes.
enum class KeyAlgorithm {
  Pair,  ///< RSA under the selector, Ed25519 under "<selector>-ed25519", so that every verifier can check one of them
  Rsa,
  Ed25519,
};

struct KeyCreation {
  std::string domain;
  std::string selector;
  KeyAlgorithm algorithm = KeyAlgorithm::Pair;
  unsigned rsa_bits = 2'048;
};

/// Makes keys and prints the records to publish. Either all of them are made or, unless the disk fails between two,
/// none.
/// @errors  Malformed: domain, selector, or their record name; Conflict: a key of that selector exists;
///          Denied: size of the key; otherwise as KeyStore
[[nodiscard]] Result<void> create_keys(KeyStore& store, const KeyCreation& creation, WallTime now, Output& output);

/// Prints keys made by hand, one a line.
void list_keys(const std::vector<StoredKey>& keys, Output& output);

/// Seals all keys on disk under the secret that is configured.
/// @param former_file  file of the secret under which they were sealed before; empty: they were not, or under this one
/// @errors  Denied: keys.sealing is "none"; otherwise as KeyDirectory::seal_all() and load_sealing_secret()
[[nodiscard]] Result<void> seal_keys(const Config& config, const std::string& former_file, Output& output);

/// Prints one key as PKCS #8 in PEM, unsealed.
/// @param effect  OnlyShown: says what would be printed
/// @errors  NotFound: no such key; otherwise as KeyDirectory
[[nodiscard]] Result<void> export_key(KeyDirectory& store, const std::string& domain, const std::string& selector,
                                      Effect effect, Output& output);

/// Prints the records of a domain's keys, as lines of a zone file.
/// @param selector  empty: all
/// @errors  NotFound: no such key
[[nodiscard]] Result<void> print_key_records(KeyStore& store, const std::string& domain, const std::string& selector,
                                             Output& output);

}  // namespace waxwing
