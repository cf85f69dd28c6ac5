#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "keys/key_directory.h"
#include "keys/rotation.h"
#include "keys/rotation_store.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/rotation/publisher.h"
#include "relay/rotation/record_observer.h"

namespace waxwing {

/// What became of one domain.
struct DomainProgress {
  DomainName domain;
  std::optional<RotationState> state;  ///< as kept now; no value: its keys have no life cycle, or it cannot be read
  std::vector<KeyTransition> transitions;
  std::vector<RotationAction> actions;  ///< that were carried out, or in a dry run would be
  std::vector<std::string> troubles;    ///< sentences about what needs an operator
  std::optional<WallTime> next;         ///< when time alone makes something due
};

/// Carries the life of keys on: looks at the DNS, has advance_rotation() decide, keeps the state, and does what is due.
/// It may die at any point, and may run many times at once.
class RotationDriver {
 public:
  struct Options {
    RotationRules rules;
    std::string who;               ///< for the audit log
    std::string reveal_directory;  ///< where private halves are published
    unsigned rsa_bits = 2'048;
  };
  /// Everything outlives the driver.
  /// @param is_needed  whether a message that waits still needs this key record ("<selector>._domainkey.<domain>");
  ///                   asked only for keys that retire
  RotationDriver(KeyDirectory& keys, const RotationStore& states, const RecordObserver& observer, Publisher& publisher,
                 std::function<Result<bool>(const std::string& key_record)> is_needed, Options options);

  /// Takes the domains as far as they get now.
  [[nodiscard]] std::vector<DomainProgress> advance(const std::vector<DomainName>& domains);

  /// Says what the next step would be, and does nothing.
  [[nodiscard]] std::vector<DomainProgress> foresee(const std::vector<DomainName>& domains);

  /// The records of a domain's keys that are to be seen, and how they are seen, by selector; signed and verified with the
  /// private half where they are everywhere.
  using Sightings = std::map<std::string, RecordSighting, std::less<>>;
  [[nodiscard]] std::vector<Sightings> look(const std::vector<RotationState>& states, bool prove);

 private:
  [[nodiscard]] std::vector<RotationState> load(const std::vector<DomainName>& domains,
                                                std::map<DomainName, DomainProgress>& progress) const;
  [[nodiscard]] Result<RotationFacts> gather(const RotationState& state, Sightings sightings,
                                             std::vector<std::string>& troubles);
  bool take_step(const RotationState& state, const Sightings& sightings, DomainProgress& progress);
  void act(const RotationState& state, const RotationAction& action, DomainProgress& progress);
  [[nodiscard]] Result<void> make(const RotationState& state, const RotationAction& action);
  [[nodiscard]] Result<void> reveal(const RotationState& state, const RotationAction& action);
  void prove(const RotationState& state, Sightings& sightings);

  KeyDirectory& keys_;
  const RotationStore& states_;
  const RecordObserver& observer_;
  Publisher& publisher_;
  std::function<Result<bool>(const std::string&)> is_needed_;
  Options options_;
  std::map<DomainName, std::set<std::string, std::less<>>> taken_back_;
};

/// More steps than this in one go mean that something goes in circles.
inline constexpr int kMaxRounds = 12;

}  // namespace waxwing
