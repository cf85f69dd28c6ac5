#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policy/time_point.h"
#include "relay/queue/quota.h"

namespace waxwing {

/// What one account or tenant used in one hour.
struct UsageHour {
  QuotaOwner owner = QuotaOwner::Account;
  std::string name;
  std::int64_t hour = 0;  ///< hours since 1970
  Usage usage;
};

/// Somebody to whom an account wrote for the first time.
struct NewRecipient {
  std::string account;
  std::string fingerprint;

  friend auto operator<=>(const NewRecipient&, const NewRecipient&) = default;
};

/// What has to be written down so that a restart does not forget it.
struct UsageChanges {
  std::vector<UsageHour> hours;  ///< to be added to what is there
  std::vector<NewRecipient> recipients;

  [[nodiscard]] bool empty() const { return hours.empty() && recipients.empty(); }
};

/// A limit that a message would break.
struct QuotaExcess {
  QuotaOwner owner = QuotaOwner::Account;
  std::string name;
  QuotaKind kind = QuotaKind::MessagesPerHour;
  std::uint64_t limit = 0;
  OverLimit over_limit = OverLimit::Reject;

  /// "account shop has reached its limit of 100 messages_per_hour".
  [[nodiscard]] std::string sentence() const;
};

/// Counts what accounts and tenants use, for all threads: a limit is one limit, however many workers there are. An hour is
/// one of the clock, a day the last 24 of them. All functions may be called from any thread.
/// @limits  kMaxLedgerEntries accounts and tenants; those that have used nothing for a day go first
class QuotaLedger {
 public:
  struct Message {
    std::string account;
    std::string tenant;
    std::uint64_t recipients = 0;
    std::uint64_t octets = 0;
    std::vector<std::string> unknown_recipients{};  ///< fingerprints of those that the store does not know
  };

  /// Counts a message of an account, unless a limit with OverLimit::Reject stands against it: then nothing is counted.
  /// @return  the limit that it breaks; one that rejects before one that holds, the account's before the tenant's
  [[nodiscard]] std::optional<QuotaExcess> charge(const Message& message, const Quota& account, const Quota& tenant,
                                                  WallTime now);

  /// Whether charge() would find one message more over a limit that rejects; nothing is counted.
  [[nodiscard]] std::optional<QuotaExcess> peek(const std::string& account_name, const std::string& tenant_name,
                                                const Quota& account, const Quota& tenant, WallTime now);

  /// Counts what became of a recipient.
  void count_outcome(const std::string& account, const std::string& tenant, bool bounced, WallTime now);

  /// Counts a connection until disconnect(), unless it is one too many.
  [[nodiscard]] std::optional<QuotaExcess> connect(const std::string& account_name, const std::string& tenant_name,
                                                   const Quota& account, const Quota& tenant);
  void disconnect(const std::string& account, const std::string& tenant);

  /// What an account used in this hour of the clock, in the busiest of the 23 before it, and in all 24.
  struct Recent {
    Usage this_hour;
    std::uint64_t busiest_recipients = 0;
    Usage day;
  };
  [[nodiscard]] Recent recent(QuotaOwner owner, const std::string& name, WallTime now);

  /// Takes over what was written down, at the start.
  void load(const std::vector<UsageHour>& hours, WallTime now);
  /// What has changed since the last call. Must be given to written() or, if that failed, to not_written().
  [[nodiscard]] UsageChanges take_changes();
  void written(const UsageChanges& changes);
  void not_written(const UsageChanges& changes);

 private:
  static constexpr std::size_t kHours = 24;
  struct Entry {
    std::int64_t hour = 0;              ///< of the last element that is used
    std::array<Usage, kHours> hours{};  ///< by hour modulo kHours
    std::map<std::int64_t, Usage> unwritten;
    std::uint64_t connections = 0;
  };
  using Key = std::pair<QuotaOwner, std::string>;

  Entry& entry(QuotaOwner owner, const std::string& name, std::int64_t hour);
  static void go_to(Entry& entry, std::int64_t hour);
  static Usage day_of(const Entry& entry);
  void add(QuotaOwner owner, const std::string& name, const Usage& usage, std::int64_t hour);
  void make_room(std::int64_t hour);
  std::optional<QuotaExcess> excess(QuotaOwner owner, const std::string& name, const Quota& quota, const Usage& usage,
                                    std::int64_t hour);

  std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::set<NewRecipient> unwritten_recipients_;
  std::set<NewRecipient> recipients_being_written_;
};

inline constexpr std::size_t kMaxLedgerEntries = 200'000;

}  // namespace waxwing
