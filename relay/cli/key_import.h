#pragma once

#include <string>
#include <vector>

#include "keys/foreign_keys.h"
#include "keys/key_store.h"
#include "keys/signing_key.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/cli/output.h"

namespace waxwing {

/// From where `keys import` takes keys; which fields count depends on the program.
struct KeySource {
  enum class Program { Pem, OpenDkim, Rspamd, Exim };
  Program program = Program::Pem;
  std::string domain;    ///< of Pem
  std::string selector;  ///< of Pem, Exim; of Rspamd for domains that the map lacks
  std::string path;      ///< of Pem, the file; of OpenDkim, the KeyTable; of Rspamd, the pattern; of Exim, the folder
  std::string signing_table;  ///< of OpenDkim; a path; empty: none
  std::string selector_map;   ///< of Rspamd; ditto
  std::string path_map;       ///< ditto
};

/// A key of another program, read.
struct ImportedKey {
  ForeignKey name;
  SigningKey key;
  WallTime changed;
};

enum class Effect { Done, OnlyShown };  ///< what `--dry-run` decides

/// Finds and reads all keys of a source, before anything is changed and as the user who may read them.
/// @errors  as keys/foreign_keys.h and keys/foreign_key_file.h; NotFound, Denied, Malformed of the tables
[[nodiscard]] Result<std::vector<ImportedKey>> read_key_source(const KeySource& source);

/// Adds keys to the store under the names that they have, so that what is published goes on to hold, and prints what
/// became of each. A key that is there already is passed over.
/// @errors  Conflict: the store has another key of that name, and then none is added; otherwise as KeyStore
[[nodiscard]] Result<void> import_keys(KeyStore& store, const std::vector<ImportedKey>& keys, Effect effect,
                                       Output& output);

}  // namespace waxwing
