#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "keys/key_directory.h"
#include "keys/rotation.h"
#include "keys/rotation_store.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/cli/output.h"
#include "relay/cli/streams.h"
#include "relay/rotation/record_format.h"
#include "relay/rotation/rotation_driver.h"

namespace waxwing {

/// What the commands about the life of keys work on. Everything outlives them.
struct RotationDesk {
  KeyDirectory& keys;
  const RotationStore& states;
  RotationDriver& driver;
  RotationRules rules;
  std::string who;
  std::string delegation_zone;  ///< of the configuration
  unsigned record_ttl = 3'600;
  bool can_reveal = false;  ///< there is a place for old private keys
  CliStreams streams;
  Output& output;
};

/// What `keys create`, `rotate`, `publish` and `confirm` are asked for.
struct RotationOrder {
  std::string domain;    ///< empty: all domains whose keys have a life cycle
  std::string selector;  ///< of `revoke` and `reveal`
  bool now = false;      ///< rotate: with the standby
  bool dry_run = false;
  bool wait = false;  ///< until all is done, with progress on standard error
  bool delegate = false;
  Seconds time_limit{86'400};  ///< of waiting
};

// Each gives whether nothing is wrong; what is wrong is in the output.

/// Begins the life of a domain's keys, and prints what to publish.
[[nodiscard]] Result<bool> begin_keys(const RotationDesk& desk, const RotationOrder& order);
/// Takes keys that were made just now under a name of the operator's into the life of a domain that has one.
[[nodiscard]] Result<bool> adopt_named_keys(const RotationDesk& desk, const std::string& domain,
                                            const std::string& selector);
[[nodiscard]] Result<bool> rotate_keys(const RotationDesk& desk, const RotationOrder& order);
/// Carries on what is due; with a domain, tells whether all its records are seen (`keys confirm`).
[[nodiscard]] Result<bool> carry_on_keys(const RotationDesk& desk, const RotationOrder& order, bool confirm);
[[nodiscard]] Result<bool> revoke_key(const RotationDesk& desk, const RotationOrder& order);
[[nodiscard]] Result<bool> reveal_key(const RotationDesk& desk, const RotationOrder& order);
[[nodiscard]] Result<bool> check_all_keys(const RotationDesk& desk, const std::string& domain);
[[nodiscard]] Result<bool> plan_keys(const RotationDesk& desk, const std::string& domain);
[[nodiscard]] Result<bool> show_keys(const RotationDesk& desk, const std::string& domain);
[[nodiscard]] Result<bool> print_key_log(const RotationDesk& desk, const std::string& domain);
[[nodiscard]] Result<bool> list_all_keys(const RotationDesk& desk);
/// Prints records in a format; those of the life cycle where there is one.
/// @param format  as parse_record_format() knows it; empty: as `keys create` prints them
[[nodiscard]] Result<bool> print_records(const RotationDesk& desk, const std::string& domain,
                                         const std::string& selector, const std::string& format);

}  // namespace waxwing
