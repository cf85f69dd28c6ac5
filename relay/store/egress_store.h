#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/egress/egress_pauses.h"
#include "relay/egress/warm_up_ledger.h"

namespace waxwing {

class SqliteConnection;

/// What sources that are warmed up have sent, and which of them rest. Changes belong to the open batch of the store, if
/// there is one.
class EgressStore {
 public:
  explicit EgressStore(SqliteConnection& connection) : connection_(connection) {}

  /// Notes the numbers that are given, each the whole of its day; a lower number of the same day, or an earlier day,
  /// changes nothing.
  [[nodiscard]] Result<void> keep_uses(const std::vector<WarmUpUse>& uses);
  /// What was used on a day, by source and provider.
  /// @limits  kMaxWarmUpPairs
  /// @errors  Corrupt
  [[nodiscard]] Result<std::vector<WarmUpUse>> uses(std::int64_t day);

  /// Notes a pause in place of what was known of that source and provider.
  [[nodiscard]] Result<void> keep_pause(const EgressPause& pause);
  /// @return  whether there was one
  [[nodiscard]] Result<bool> remove_pause(const std::string& source, const std::string& provider);
  /// Pauses that end after `now`, by source and provider.
  /// @limits  kMaxEgressPauses
  /// @errors  Corrupt
  [[nodiscard]] Result<std::vector<EgressPause>> pauses(WallTime now);

  /// Deletes pauses that are over, and what was used on days before that of `now`.
  [[nodiscard]] Result<void> remove_outdated(WallTime now);

 private:
  SqliteConnection& connection_;
};

}  // namespace waxwing
