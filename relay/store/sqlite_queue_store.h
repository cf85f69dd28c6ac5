#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policy/result.h"
#include "relay/queue/queue_store.h"
#include "relay/store/settings_version.h"
#include "relay/store/state_lock.h"

namespace waxwing {

class AccountStore;
class AuditStore;
class EgressStore;
class QuotaStore;
class SqliteConnection;
class StsPolicyStore;
class ProvenTlsStore;
class SuppressionStore;
class TlsResultStore;

/// The queue in `<state>/queue.db`, with large bodies in `<state>/spool/`. WAL and synchronous=FULL: what commit() has
/// confirmed survives power loss. Nothing throws.
class SqliteQueueStore final : public QueueStore {
 public:
  /// Takes the state lock and opens the store, making what is not there yet (files 0600, directories 0700). Spool files
  /// that no message owns are removed.
  /// @errors  Conflict: another process has the store; Corrupt: damaged, or written by a newer version; Denied;
  ///          Exhausted; Unavailable. The detail names the file and the remedy.
  /// @limits  integrity is checked when the file is at most kMaxCheckedOctets, so that a start stays fast
  [[nodiscard]] static Result<std::unique_ptr<SqliteQueueStore>> open(const std::string& state_directory);

  ~SqliteQueueStore() override;

  /// Closes the database and opens it anew under the same lock; what was not committed is gone. Afterwards everything
  /// that is there is on the disk, whatever an fsync() that failed before had lost (the log is copied into the
  /// database).
  /// @errors  as open(); calls fail with Unavailable until a reopen() has succeeded
  [[nodiscard]] Result<void> reopen();

  [[nodiscard]] Result<void> begin() override;
  [[nodiscard]] Result<void> commit() override;
  [[nodiscard]] Result<void> add(const QueuedMessage& message) override;
  /// A waiting state never replaces a final one: such an update changes nothing and succeeds.
  [[nodiscard]] Result<void> update(const RecipientUpdate& update) override;
  [[nodiscard]] Result<void> renew(QueueId id, WallTime expires) override;
  /// @errors  Conflict: a recipient still waits; nothing when there is no such message
  [[nodiscard]] Result<void> remove(QueueId id) override;
  [[nodiscard]] Result<QueuedMessage> load(QueueId id) override;
  [[nodiscard]] Result<void> each_waiting(const std::function<void(const WaitingRecipient&)>& each) override;
  [[nodiscard]] Result<std::vector<QueuedMessage>> list(const QueueFilter& filter) override;

  /// Removes a message whatever its recipients' states, because its sender was told that it was not accepted.
  [[nodiscard]] Result<void> discard(QueueId id);

  /// Runs `change` so that, when it fails, only what it did is undone and the batch goes on.
  /// @return  what `change` returned, or the error of the database
  [[nodiscard]] Result<void> apart(const std::function<Result<void>()>& change);

  /// Whether the database has failed, so that nothing may be committed before a reopen().
  [[nodiscard]] bool needs_reopen() const;

  /// Work that must not delay a commit: copies the log into the database and returns free pages to the file system,
  /// both in small steps. To be called between batches.
  [[nodiscard]] Result<void> maintain();

  /// Messages in the queue.
  [[nodiscard]] Result<std::uint64_t> message_count();
  /// Recipients that are held. O(their number).
  [[nodiscard]] Result<std::uint64_t> held_count();

  [[nodiscard]] AuditStore& audits() { return *audits_; }
  [[nodiscard]] AccountStore& accounts() {
    touches_settings_ = true;
    return *accounts_;
  }
  [[nodiscard]] QuotaStore& quotas() {
    touches_settings_ = true;
    return *quotas_;
  }
  [[nodiscard]] StsPolicyStore& sts_policies() { return *sts_policies_; }
  [[nodiscard]] TlsResultStore& tls_results() { return *tls_results_; }
  [[nodiscard]] ProvenTlsStore& proven_tls() { return *proven_tls_; }
  [[nodiscard]] EgressStore& egress() { return *egress_; }
  [[nodiscard]] SuppressionStore& suppressions() {
    touches_settings_ = true;
    return *suppressions_;
  }

  /// Advances with each commit of a batch in which accounts(), quotas() or suppressions() were used.
  [[nodiscard]] std::shared_ptr<const SettingsVersion> settings_version() const { return settings_version_; }
  [[nodiscard]] const std::string& state_directory() const { return lock_.state_directory(); }

 private:
  explicit SqliteQueueStore(StateLock lock);
  [[nodiscard]] Result<void> connect();
  [[nodiscard]] Result<void> remove_orphans();
  [[nodiscard]] Result<void> insert_submission(const QueuedMessage& message);
  void insert_recipient(QueueId message, const QueuedRecipient& recipient);
  void delete_message(QueueId id);

  StateLock lock_;
  std::unique_ptr<SqliteConnection> connection_;
  std::unique_ptr<AuditStore> audits_;
  std::unique_ptr<AccountStore> accounts_;
  std::unique_ptr<QuotaStore> quotas_;
  std::unique_ptr<StsPolicyStore> sts_policies_;
  std::unique_ptr<TlsResultStore> tls_results_;
  std::unique_ptr<ProvenTlsStore> proven_tls_;
  std::unique_ptr<EgressStore> egress_;
  std::unique_ptr<SuppressionStore> suppressions_;
  std::vector<QueueId> removed_spool_files_;  // to be unlinked when the batch is durable
  std::shared_ptr<SettingsVersion> settings_version_ = std::make_shared<SettingsVersion>();
  bool touches_settings_ = false;     // the batch does, or may
  bool spool_names_changed_ = false;  // the directory must be synced before the batch is
};

/// How long a submission key stands for its message.
inline constexpr Seconds kSubmissionKeyMemory{86'400};
inline constexpr std::uint64_t kMaxCheckedOctets = 64ULL << 20;

}  // namespace waxwing
