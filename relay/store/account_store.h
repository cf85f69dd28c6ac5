#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/client_certificate.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/account.h"

namespace waxwing {

class SqliteConnection;

/// The accounts table. Changes belong to the open batch of the store, if there is one.
class AccountStore {
 public:
  explicit AccountStore(SqliteConnection& connection) : connection_(connection) {}

  /// @errors  Conflict: the name exists, or the uid or a certificate has an account; Malformed: name, tenant, a sender
  ///          rule, a certificate or the SCRAM keys are not what Account allows
  [[nodiscard]] Result<void> add(const Account& account);
  /// Makes a password that of an account, by what is kept of it.
  /// @param scram_keys  empty: SCRAM does not open the account any more
  /// @errors  NotFound; Conflict: the account stands in the configuration file; Malformed: no keys
  [[nodiscard]] Result<void> set_password(const std::string& name, const std::string& password_hash,
                                          const std::string& scram_keys);
  /// The name of an account that a password opens and SCRAM does not; no value: there is none.
  /// @errors  Corrupt
  [[nodiscard]] Result<std::optional<std::string>> find_without_scram();
  /// @errors  NotFound; Corrupt
  [[nodiscard]] Result<Account> find(const std::string& name);
  /// The account of a local user.
  /// @errors  NotFound; Corrupt
  [[nodiscard]] Result<Account> find_by_uid(std::uint32_t uid);
  /// The account of a client by what its certificate stands for.
  /// @errors  NotFound: no account lists any of it; Conflict: several do; Corrupt
  [[nodiscard]] Result<Account> find_by_certificate(const CertificateIdentities& identities);
  /// Makes the certificates of an account those that are given, instead of what it had.
  /// @errors  NotFound; Conflict: another account has one, or it stands in the configuration file; Malformed
  [[nodiscard]] Result<void> set_certificates(const std::string& name, const std::vector<std::string>& certificates);
  /// Makes the accounts that are declared those that are given.
  /// @errors  Conflict: one has the name or uid of an account that was added otherwise; Malformed
  [[nodiscard]] Result<void> declare(const std::vector<Account>& accounts);
  /// Lets whoever shows the token with this digest be the account.
  /// @errors  NotFound: no such account; Exhausted: it has kMaxTokens
  [[nodiscard]] Result<void> add_token(const std::string& name, const std::string& digest, WallTime now);
  /// @return  how many there were
  [[nodiscard]] Result<std::uint64_t> revoke_tokens(const std::string& name);
  /// The account of a token.
  /// @errors  NotFound; Corrupt
  [[nodiscard]] Result<Account> find_by_token(const std::string& digest);
  /// All accounts by name.
  /// @errors  Corrupt; Exhausted: more than kMaxAccounts
  [[nodiscard]] Result<std::vector<Account>> list();

 private:
  [[nodiscard]] Result<void> insert(const Account& account);
  [[nodiscard]] Result<void> insert_certificates(const std::string& name, const std::vector<std::string>& certificates);
  void read_certificates(Account& account);
  SqliteConnection& connection_;
};

inline constexpr std::size_t kMaxAccounts = 100'000;
inline constexpr std::size_t kMaxTokens = 1'000;  // of one account
inline constexpr std::size_t kTokenDigestOctets = 32;
inline constexpr std::size_t kMaxAllowedSenders = 1'000;

}  // namespace waxwing
