#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/quota.h"
#include "relay/queue/quota_ledger.h"

namespace waxwing {

class SqliteConnection;

/// Limits of accounts and tenants, and what they have used. Changes belong to the open batch of the store, if there is
/// one.
class QuotaStore {
 public:
  explicit QuotaStore(SqliteConnection& connection) : connection_(connection) {}

  /// What is known of an account or tenant; no limits when nothing is.
  /// @errors  Corrupt
  [[nodiscard]] Result<Quota> find(QuotaOwner owner, const std::string& name);

  /// Makes it what is given.
  /// @errors  Malformed: a value over kMaxQuota, or a name that no account could have
  [[nodiscard]] Result<void> set(QuotaOwner owner, const std::string& name, const Quota& quota);

  /// Tenants for which something was set, by name.
  [[nodiscard]] Result<std::vector<std::pair<std::string, Quota>>> tenants();

  /// Adds what was used since the last call, and forgets what is older than a day.
  [[nodiscard]] Result<void> add_usage(const UsageChanges& changes, WallTime now);
  /// What was used in the last 24 hours of the clock; of all, or of one when `name` is not empty.
  [[nodiscard]] Result<std::vector<UsageHour>> usage(WallTime now);
  [[nodiscard]] Result<Usage> usage_of(QuotaOwner owner, const std::string& name, WallTime now);

  /// Whether the account has written to that recipient before.
  [[nodiscard]] Result<bool> knows(const std::string& account, const std::string& fingerprint);

 private:
  SqliteConnection& connection_;
};

inline constexpr std::uint64_t kMaxQuota = 1ULL << 50;
/// Recipients to whom an account has not written for so long are new again.
inline constexpr Seconds kRecipientMemory{400 * 86'400};

}  // namespace waxwing
