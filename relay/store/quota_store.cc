#include "relay/store/quota_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 128;
constexpr std::size_t kMaxHeldOctets = 4'096;
constexpr std::size_t kMaxUsageRows = 24 * kMaxLedgerEntries;
constexpr std::int64_t kHours = 24;
constexpr std::int64_t kMaxHour = INT64_MAX / 3'600'000;
constexpr std::int64_t kMaxUsed = INT64_MAX / kHours;

// The numbers are in the database: they never change.
static_assert(static_cast<int>(QuotaOwner::Account) == 0 && static_cast<int>(QuotaOwner::Tenant) == 1);
static_assert(static_cast<int>(OverLimit::Reject) == 0 && static_cast<int>(OverLimit::Hold) == 1);
static_assert(static_cast<int>(QuotaKind::Connections) + 1 == kQuotaKinds);

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameOctets &&
         std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::int64_t hour_of(WallTime time) {
  return std::chrono::floor<std::chrono::hours>(time.time_since_epoch()).count();
}

Quota quota_columns(Query& row) {
  Quota quota;
  for (std::uint64_t& limit : quota.limits)
    limit = static_cast<std::uint64_t>(row.integer(0, static_cast<std::int64_t>(kMaxQuota)));
  quota.over_limit = static_cast<OverLimit>(row.integer(0, static_cast<int>(OverLimit::Hold)));
  quota.held_because = row.octets(kMaxHeldOctets);
  return quota;
}

Usage usage_columns(Query& row) {
  Usage usage;
  for (std::uint64_t* field :
       {&usage.messages, &usage.recipients, &usage.octets, &usage.new_recipients, &usage.delivered, &usage.bounced})
    *field = static_cast<std::uint64_t>(row.integer(0, kMaxUsed));
  return usage;
}

}  // namespace

Result<Quota> QuotaStore::find(QuotaOwner owner, const std::string& name) {
  return connection_.contained("read the limits of " + name, [&]() -> Result<Quota> {
    auto row = connection_.query(
        "SELECT messages_per_hour, messages_per_day, recipients_per_hour, recipients_per_day, octets_per_day, "
        "new_recipients_per_day, connections, over_limit, held_because FROM quotas WHERE owner=? AND name=?");
    row.bind(std::int64_t{static_cast<int>(owner)}).bind_text(name);
    return row.step() ? quota_columns(row) : Quota();
  });
}

Result<void> QuotaStore::set(QuotaOwner owner, const std::string& name, const Quota& quota) {
  if (!is_name(name)) return fail(ErrorKind::Malformed, "a name has 1 to 128 printable ASCII characters and no space");
  if (std::ranges::any_of(quota.limits, [](std::uint64_t limit) { return limit > kMaxQuota; }))
    return fail(ErrorKind::Malformed, fmt::format("a limit is at most {}", kMaxQuota));
  if (quota.held_because.size() > kMaxHeldOctets) return fail(ErrorKind::Malformed, "the reason is too long");
  return connection_.contained("store the limits of " + name, [&]() -> Result<void> {
    auto change = connection_.query(
        "INSERT INTO quotas(owner, name, messages_per_hour, messages_per_day, recipients_per_hour, "
        "recipients_per_day, octets_per_day, new_recipients_per_day, connections, over_limit, held_because) "
        "VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(owner, name) DO UPDATE SET "
        "messages_per_hour=excluded.messages_per_hour, messages_per_day=excluded.messages_per_day, "
        "recipients_per_hour=excluded.recipients_per_hour, recipients_per_day=excluded.recipients_per_day, "
        "octets_per_day=excluded.octets_per_day, new_recipients_per_day=excluded.new_recipients_per_day, "
        "connections=excluded.connections, over_limit=excluded.over_limit, held_because=excluded.held_because");
    change.bind(std::int64_t{static_cast<int>(owner)}).bind_text(name);
    for (const std::uint64_t limit : quota.limits) change.bind(limit);
    change.bind(std::int64_t{static_cast<int>(quota.over_limit)}).bind_text(quota.held_because).run();
    return {};
  });
}

Result<std::vector<std::pair<std::string, Quota>>> QuotaStore::tenants() {
  using Tenants = std::vector<std::pair<std::string, Quota>>;
  return connection_.contained("list the tenants", [&]() -> Result<Tenants> {
    auto row = connection_.query(
        "SELECT name, messages_per_hour, messages_per_day, recipients_per_hour, recipients_per_day, octets_per_day, "
        "new_recipients_per_day, connections, over_limit, held_because FROM quotas WHERE owner=1 ORDER BY name");
    Tenants tenants;
    while (row.step()) {
      if (tenants.size() == kMaxLedgerEntries) return fail(ErrorKind::Exhausted, "there are too many tenants");
      row.rewind_columns();
      std::string name = row.octets(kMaxNameOctets);
      tenants.emplace_back(std::move(name), quota_columns(row));
    }
    return tenants;
  });
}

Result<void> QuotaStore::add_usage(const UsageChanges& changes, WallTime now) {
  return connection_.contained("count what was used", [&]() -> Result<void> {
    for (const UsageHour& one : changes.hours) {
      auto add = connection_.query(
          "INSERT INTO usage_hours(owner, name, hour, messages, recipients, octets, new_recipients, delivered, "
          "bounced) "
          "VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(owner, name, hour) DO UPDATE SET messages=messages+excluded.messages, "
          "recipients=recipients+excluded.recipients, octets=octets+excluded.octets, "
          "new_recipients=new_recipients+excluded.new_recipients, delivered=delivered+excluded.delivered, "
          "bounced=bounced+excluded.bounced");
      add.bind(std::int64_t{static_cast<int>(one.owner)}).bind_text(one.name).bind(one.hour);
      add.bind(one.usage.messages).bind(one.usage.recipients).bind(one.usage.octets).bind(one.usage.new_recipients);
      add.bind(one.usage.delivered).bind(one.usage.bounced).run();
      auto forget = connection_.query("DELETE FROM usage_hours WHERE owner=? AND name=? AND hour<=?");
      forget.bind(std::int64_t{static_cast<int>(one.owner)}).bind_text(one.name).bind(hour_of(now) - kHours).run();
    }
    const std::int64_t day = hour_of(now) / kHours;
    for (const NewRecipient& recipient : changes.recipients) {
      auto add = connection_.query(
          "INSERT INTO known_recipients(account, fingerprint, day) VALUES(?,?,?) "
          "ON CONFLICT(account, fingerprint) DO UPDATE SET day=excluded.day");
      add.bind_text(recipient.account).bind_octets(recipient.fingerprint).bind(day).run();
    }
    return {};
  });
}

Result<std::vector<UsageHour>> QuotaStore::usage(WallTime now) {
  return connection_.contained("read what was used", [&]() -> Result<std::vector<UsageHour>> {
    {
      auto forget = connection_.query("DELETE FROM usage_hours WHERE hour<=?");
      forget.bind(hour_of(now) - kHours).run();
      auto forget_recipients = connection_.query("DELETE FROM known_recipients WHERE day<?");
      const auto memory = std::chrono::duration_cast<std::chrono::hours>(kRecipientMemory).count();
      forget_recipients.bind((hour_of(now) - memory) / kHours).run();
    }
    auto row = connection_.query(
        "SELECT owner, name, hour, messages, recipients, octets, new_recipients, delivered, bounced FROM usage_hours");
    std::vector<UsageHour> hours;
    while (row.step()) {
      if (hours.size() == kMaxUsageRows) return fail(ErrorKind::Exhausted, "there are too many accounts");
      row.rewind_columns();
      UsageHour hour;
      hour.owner = static_cast<QuotaOwner>(row.integer(0, static_cast<int>(QuotaOwner::Tenant)));
      hour.name = row.octets(kMaxNameOctets);
      hour.hour = row.integer(0, kMaxHour);
      hour.usage = usage_columns(row);
      hours.push_back(std::move(hour));
    }
    return hours;
  });
}

Result<Usage> QuotaStore::usage_of(QuotaOwner owner, const std::string& name, WallTime now) {
  return connection_.contained("read what " + name + " used", [&]() -> Result<Usage> {
    auto row = connection_.query(
        "SELECT messages, recipients, octets, new_recipients, delivered, bounced FROM usage_hours "
        "WHERE owner=? AND name=? AND hour>?");
    row.bind(std::int64_t{static_cast<int>(owner)}).bind_text(name).bind(hour_of(now) - kHours);
    Usage day;
    while (row.step()) {
      row.rewind_columns();
      day += usage_columns(row);
    }
    return day;
  });
}

Result<bool> QuotaStore::knows(const std::string& account, const std::string& fingerprint) {
  return connection_.contained("look for a recipient of " + account, [&]() -> Result<bool> {
    auto row = connection_.query("SELECT 1 FROM known_recipients WHERE account=? AND fingerprint=?");
    row.bind_text(account).bind_octets(fingerprint);
    return row.step();
  });
}

}  // namespace waxwing
