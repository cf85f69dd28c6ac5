#pragma once

#include <string>
#include <vector>

#include "policy/result.h"
#include "relay/queue/account.h"

namespace waxwing {

class SqliteConnection;

/// The accounts table. Changes belong to the open batch of the store, if there is one.
class AccountStore {
 public:
  explicit AccountStore(SqliteConnection& connection) : connection_(connection) {}

  /// @errors  Conflict: the name exists; Malformed: name, tenant or a sender rule is not what Account allows
  [[nodiscard]] Result<void> add(const Account& account);
  /// @errors  NotFound
  [[nodiscard]] Result<void> set_password_hash(const std::string& name, const std::string& password_hash);
  /// @errors  NotFound; Corrupt
  [[nodiscard]] Result<Account> find(const std::string& name);
  /// All accounts by name.
  /// @errors  Corrupt; Exhausted: more than kMaxAccounts
  [[nodiscard]] Result<std::vector<Account>> list();

 private:
  SqliteConnection& connection_;
};

inline constexpr std::size_t kMaxAccounts = 100'000;
inline constexpr std::size_t kMaxAllowedSenders = 1'000;

}  // namespace waxwing
