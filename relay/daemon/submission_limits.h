#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/config/config.h"
#include "relay/observe/event_log.h"
#include "relay/queue/account.h"
#include "relay/queue/quota_ledger.h"
#include "relay/server/command.h"
#include "relay/server/server_engine.h"
#include "relay/store/queue_reader.h"
#include "relay/store/store_thread.h"

namespace waxwing {

/// What accounts, tenants and addresses may use: asks the ledger with the limits of the moment, which are in the database,
/// so that a change has an effect at once; holds the mail of an account that behaves as if somebody else had its password;
/// and has the store remember what was used. One for all workers; all functions may be called from any thread.
class SubmissionLimits {
 public:
  /// All references must outlive it.
  SubmissionLimits(const Config& config, StoreThread& store, EventLog& log);

  /// Takes over what was used before a restart, and what the configuration declares; before the first session.
  /// @errors  as AccountStore::declare() and QuotaStore::set()
  [[nodiscard]] Result<void> load(SqliteQueueStore& store, WallTime now);

  /// Whether a message may begin. @param reader  of the calling thread, here and below
  [[nodiscard]] std::optional<ServerReply> check(QueueReader& reader, const Account& account, WallTime now);

  struct Admission {
    std::optional<ServerReply> refusal;  ///< no value: it is counted
    std::string held_because;            ///< empty: it goes out
  };
  /// Counts a message that is complete.
  [[nodiscard]] Admission admit(QueueReader& reader, const Account& account,
                                const std::vector<EnvelopeRecipient>& recipients, std::uint64_t octets, WallTime now);

  /// Counts what became of recipients; what the relay sends itself has no account, and is not counted.
  void count_outcome(const std::string& account, const std::string& tenant, bool bounced, WallTime now);

  /// Counts a connection of an account until disconnect().
  [[nodiscard]] std::optional<ServerReply> connect(QueueReader& reader, const Account& account);
  void disconnect(const Account& account);

  /// Counts a connection from an address to a listener until close(). Loopback addresses are counted for the listener
  /// alone: all applications of this host share them.
  /// @return  no value, or the limit that is reached, for the log
  [[nodiscard]] std::optional<std::string> open(const ListenerConfig& listener, const IpAddress& peer);
  void close(const ListenerConfig& listener, const IpAddress& peer);

  /// Has what was used since the last call written; to be called every few seconds.
  void write_down();

 private:
  struct Quotas {
    Quota account;
    Quota tenant;
  };
  [[nodiscard]] Result<Quotas> quotas(QueueReader& reader, const Account& account) const;
  [[nodiscard]] std::optional<std::string> sudden_volume(const std::string& account, WallTime now);
  void hold(const std::string& account, const std::string& sentence);

  const Config& config_;
  StoreThread& store_;
  EventLog& log_;
  QuotaLedger ledger_;
  std::mutex mutex_;  ///< of what follows
  std::map<std::string, std::uint64_t> by_listener_;
  std::map<IpAddress, std::uint64_t> by_address_;
  bool writing_ = false;
};

/// Outcomes of an account in a day below which its bounces say nothing.
inline constexpr std::uint64_t kLeastOutcomes = 100;
/// An hour is sudden with so many times the recipients of the busiest hour of the day before.
inline constexpr std::uint64_t kSuddenFactor = 10;

}  // namespace waxwing
