#pragma once

#include <optional>

#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/destination/destination_plan.h"

namespace waxwing {

class SqliteConnection;

/// MTA-STS policies that were fetched, kept over restarts so that nobody who can make a fetch fail removes the
/// protection. Changes belong to the open batch of the store, if there is one.
/// @source  RFC 8461 §5.1
class StsPolicyStore {
 public:
  explicit StsPolicyStore(SqliteConnection& connection) : connection_(connection) {}

  /// @return  no value: none, or it has expired
  /// @errors  Corrupt
  [[nodiscard]] Result<std::optional<CachedStsPolicy>> find(const DomainName& domain, WallTime now);

  /// Keeps a policy in the place of an older one.
  /// @errors  Malformed: the body is longer than kMaxStsPolicyOctets, or not a policy
  [[nodiscard]] Result<void> keep(const DomainName& domain, const CachedStsPolicy& policy);

  /// Deletes those that have expired.
  [[nodiscard]] Result<void> remove_expired(WallTime now);

 private:
  SqliteConnection& connection_;
};

}  // namespace waxwing
