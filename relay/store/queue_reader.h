#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/client_certificate.h"
#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/account.h"
#include "relay/queue/queued_message.h"
#include "relay/queue/quota.h"
#include "relay/queue/suppression.h"
#include "relay/store/settings_version.h"
#include "transport/destination/destination_plan.h"
#include "transport/destination/tls_memory.h"

namespace waxwing {

class SqliteConnection;

/// Reads what the store has committed, on a connection of its own, so that workers need not wait for the store thread.
/// Each thread opens its own. Sees a message from the moment its add() was confirmed.
class QueueReader {
 public:
  /// @param state_directory  of a store that is open already
  /// @param settings  of that store: limits, suppression lists and whether an account lacks SCRAM keys are then remembered until
  ///                  they may have changed;
  ///                  nullptr: they are read each time
  /// @errors  as SqliteQueueStore::open()
  [[nodiscard]] static Result<QueueReader> open(const std::string& state_directory,
                                                std::shared_ptr<const SettingsVersion> settings = nullptr);

  QueueReader(QueueReader&&) noexcept;
  QueueReader& operator=(QueueReader&&) noexcept;
  ~QueueReader();

  /// One message with its recipients; the body only when it is inline, else SpoolReader::open(state_directory(), …).
  /// @errors  NotFound; Corrupt: a value in the row is not what was written; Unavailable
  [[nodiscard]] Result<QueuedMessage> load(QueueId id);

  /// One message for an attempt on some of its recipients: no others are read, nor shown.
  /// @param ordinals  increasing; those that are not there are left out
  /// @errors  as load()
  /// @limits  O(ordinals), however many recipients the message has
  [[nodiscard]] Result<QueuedMessage> load(QueueId id, const std::vector<std::uint32_t>& ordinals);

  /// @errors  NotFound; Corrupt; Unavailable
  [[nodiscard]] Result<Account> find_account(const std::string& name);

  /// The name of an account that a password opens and SCRAM does not; no value: there is none.
  /// @errors  Corrupt; Unavailable
  [[nodiscard]] Result<std::optional<std::string>> find_account_without_scram();

  /// The account of a local user.
  /// @errors  NotFound; Corrupt; Unavailable
  [[nodiscard]] Result<Account> find_account_of(std::uint32_t uid);

  /// The account of a client by what its certificate stands for.
  /// @errors  NotFound; Conflict: it stands for several; Corrupt; Unavailable
  [[nodiscard]] Result<Account> find_account_by_certificate(const CertificateIdentities& identities);

  /// The account of a token. @param digest  its SHA-256
  /// @errors  NotFound; Corrupt; Unavailable
  [[nodiscard]] Result<Account> find_account_by_token(const std::string& digest);

  /// What became of a request with this key.
  struct EarlierSubmission {
    std::string digest;
    QueueId message;
  };
  /// @errors  Corrupt; Unavailable
  [[nodiscard]] Result<std::optional<EarlierSubmission>> find_submission(const std::string& account,
                                                                         const std::string& key);

  /// @errors  Corrupt; Unavailable
  [[nodiscard]] Result<Quota> find_quota(QuotaOwner owner, const std::string& name);
  /// Those of the fingerprints to whose recipients the account has not written before.
  [[nodiscard]] Result<std::vector<std::string>> unknown_recipients(const std::string& account,
                                                                    const std::vector<std::string>& fingerprints);

  /// What keeps a tenant from submitting to an address.
  /// @errors  Corrupt; Unavailable
  [[nodiscard]] Result<std::optional<Suppression>> find_suppression(const std::string& tenant,
                                                                    const MailAddress& address, WallTime now);

  /// The MTA-STS policy kept for a domain; no value when there is none or it has expired.
  /// @errors  Corrupt; Unavailable
  [[nodiscard]] Result<std::optional<CachedStsPolicy>> find_sts_policy(const DomainName& domain, WallTime now);

  /// Shows the header of each message in the queue, one at a time.
  /// @errors  Corrupt; Unavailable
  [[nodiscard]] Result<void> visit_headers(const std::function<void(std::string_view header)>& visit);

  /// What deliveries proved about the hosts of a domain, at `not_before` or later.
  /// @errors  Corrupt; Unavailable
  [[nodiscard]] Result<std::optional<RememberedTls>> find_proven_tls(const DomainName& domain, WallTime not_before);

  [[nodiscard]] const std::string& state_directory() const { return state_directory_; }

 private:
  struct Remembered;
  QueueReader(std::unique_ptr<SqliteConnection> connection, std::string state_directory,
              std::shared_ptr<const SettingsVersion> settings);
  /// What may still be believed; nullptr: nothing is remembered.
  [[nodiscard]] Remembered* remembered();
  template <class Read>
  [[nodiscard]] Result<QueuedMessage> load_with(QueueId id, const Read& read);

  std::unique_ptr<SqliteConnection> connection_;
  std::string state_directory_;
  std::unique_ptr<Remembered> remembered_;
};

}  // namespace waxwing
