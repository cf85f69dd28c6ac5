#include "relay/queue/quota_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace waxwing {
namespace {

std::int64_t hour_of(WallTime time) {
  return std::chrono::floor<std::chrono::hours>(time.time_since_epoch()).count();
}

std::uint64_t used(QuotaKind kind, const Usage& hour, const Usage& day) {
  switch (kind) {
    case QuotaKind::MessagesPerHour:
      return hour.messages;
    case QuotaKind::MessagesPerDay:
      return day.messages;
    case QuotaKind::RecipientsPerHour:
      return hour.recipients;
    case QuotaKind::RecipientsPerDay:
      return day.recipients;
    case QuotaKind::OctetsPerDay:
      return day.octets;
    case QuotaKind::NewRecipientsPerDay:
      return day.new_recipients;
    case QuotaKind::Connections:
      break;
  }
  return 0;
}

}  // namespace

std::string QuotaExcess::sentence() const {
  return fmt::format("{} {} has reached its limit of {} {}", quota_owner_name(owner), name, limit, quota_name(kind));
}

std::optional<QuotaExcess> QuotaLedger::charge(const Message& message, const Quota& account, const Quota& tenant,
                                               WallTime now) {
  const std::lock_guard lock(mutex_);
  const std::int64_t hour = hour_of(now);
  std::vector<NewRecipient> fresh;
  for (const std::string& fingerprint : message.unknown_recipients) {
    NewRecipient recipient{message.account, fingerprint};
    if (!unwritten_recipients_.contains(recipient) && !recipients_being_written_.contains(recipient))
      fresh.push_back(std::move(recipient));
  }
  const Usage usage{1, message.recipients, message.octets, fresh.size(), 0, 0};
  const auto of_account = excess(QuotaOwner::Account, message.account, account, usage, hour);
  const auto of_tenant = excess(QuotaOwner::Tenant, message.tenant, tenant, usage, hour);
  for (const auto* one : {&of_account, &of_tenant})
    if (*one && (*one)->over_limit == OverLimit::Reject) return *one;
  add(QuotaOwner::Account, message.account, usage, hour);
  add(QuotaOwner::Tenant, message.tenant, usage, hour);
  unwritten_recipients_.insert(fresh.begin(), fresh.end());
  return of_account ? of_account : of_tenant;
}

std::optional<QuotaExcess> QuotaLedger::peek(const std::string& account_name, const std::string& tenant_name,
                                             const Quota& account, const Quota& tenant, WallTime now) {
  const std::lock_guard lock(mutex_);
  const Usage usage{1, 1, 0, 0, 0, 0};
  auto found = excess(QuotaOwner::Account, account_name, account, usage, hour_of(now));
  if (!found || found->over_limit == OverLimit::Hold)
    found = excess(QuotaOwner::Tenant, tenant_name, tenant, usage, hour_of(now));
  return found && found->over_limit == OverLimit::Reject ? found : std::nullopt;
}

void QuotaLedger::count_outcome(const std::string& account, const std::string& tenant, bool bounced, WallTime now) {
  const std::lock_guard lock(mutex_);
  const Usage usage{0, 0, 0, 0, bounced ? 0U : 1U, bounced ? 1U : 0U};
  add(QuotaOwner::Account, account, usage, hour_of(now));
  add(QuotaOwner::Tenant, tenant, usage, hour_of(now));
}

std::optional<QuotaExcess> QuotaLedger::connect(const std::string& account_name, const std::string& tenant_name,
                                                const Quota& account, const Quota& tenant) {
  const std::lock_guard lock(mutex_);
  const std::pair<Key, const Quota*> owners[] = {{{QuotaOwner::Account, account_name}, &account},
                                                 {{QuotaOwner::Tenant, tenant_name}, &tenant}};
  for (const auto& [key, quota] : owners) {
    const std::uint64_t limit = quota->limit(QuotaKind::Connections);
    const auto found = entries_.find(key);
    if (limit > 0 && found != entries_.end() && found->second.connections >= limit)
      return QuotaExcess{key.first, key.second, QuotaKind::Connections, limit, OverLimit::Reject};
  }
  for (const auto& [key, quota] : owners) ++entries_[key].connections;
  return std::nullopt;
}

void QuotaLedger::disconnect(const std::string& account, const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  for (const Key& key : {Key{QuotaOwner::Account, account}, Key{QuotaOwner::Tenant, tenant}}) {
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second.connections > 0) --found->second.connections;
  }
}

QuotaLedger::Recent QuotaLedger::recent(QuotaOwner owner, const std::string& name, WallTime now) {
  const std::lock_guard lock(mutex_);
  const std::int64_t hour = hour_of(now);
  const Entry& of_owner = entry(owner, name, hour);
  Recent recent{of_owner.hours[static_cast<std::size_t>(hour) % kHours], 0, day_of(of_owner)};
  for (std::size_t i = 0; i < kHours; ++i) {
    if (i != static_cast<std::size_t>(hour) % kHours)
      recent.busiest_recipients = std::max(recent.busiest_recipients, of_owner.hours[i].recipients);
  }
  return recent;
}

void QuotaLedger::load(const std::vector<UsageHour>& hours, WallTime now) {
  const std::lock_guard lock(mutex_);
  const std::int64_t hour = hour_of(now);
  for (const UsageHour& one : hours) {
    if (one.hour > hour || one.hour <= hour - static_cast<std::int64_t>(kHours)) continue;
    entry(one.owner, one.name, hour).hours[static_cast<std::size_t>(one.hour) % kHours] += one.usage;
  }
}

UsageChanges QuotaLedger::take_changes() {
  const std::lock_guard lock(mutex_);
  UsageChanges changes;
  for (auto& [key, of_owner] : entries_) {
    for (const auto& [hour, usage] : of_owner.unwritten) changes.hours.push_back({key.first, key.second, hour, usage});
    of_owner.unwritten.clear();
  }
  changes.recipients.assign(unwritten_recipients_.begin(), unwritten_recipients_.end());
  recipients_being_written_.merge(unwritten_recipients_);
  unwritten_recipients_.clear();
  return changes;
}

void QuotaLedger::written(const UsageChanges& changes) {
  const std::lock_guard lock(mutex_);
  for (const NewRecipient& recipient : changes.recipients) recipients_being_written_.erase(recipient);
}

void QuotaLedger::not_written(const UsageChanges& changes) {
  const std::lock_guard lock(mutex_);
  for (const UsageHour& one : changes.hours) entries_[{one.owner, one.name}].unwritten[one.hour] += one.usage;
  for (const NewRecipient& recipient : changes.recipients) {
    recipients_being_written_.erase(recipient);
    unwritten_recipients_.insert(recipient);
  }
}

QuotaLedger::Entry& QuotaLedger::entry(QuotaOwner owner, const std::string& name, std::int64_t hour) {
  if (entries_.size() >= kMaxLedgerEntries) make_room(hour);
  Entry& found = entries_[{owner, name}];
  go_to(found, hour);
  return found;
}

// Empties the hours that have passed since the last use. A clock that went back counts on in the hour it had reached.
void QuotaLedger::go_to(Entry& entry, std::int64_t hour) {
  if (hour <= entry.hour) return;
  const std::int64_t steps = std::min<std::int64_t>(hour - entry.hour, kHours);
  for (std::int64_t i = 0; i < steps; ++i) entry.hours[static_cast<std::size_t>(hour - i) % kHours] = {};
  entry.hour = hour;
}

Usage QuotaLedger::day_of(const Entry& entry) {
  Usage day;
  for (const Usage& hour : entry.hours) day += hour;
  return day;
}

void QuotaLedger::add(QuotaOwner owner, const std::string& name, const Usage& usage, std::int64_t hour) {
  Entry& found = entry(owner, name, hour);
  found.hours[static_cast<std::size_t>(hour) % kHours] += usage;
  found.unwritten[hour] += usage;
}

void QuotaLedger::make_room(std::int64_t hour) {
  std::erase_if(entries_, [hour](const auto& item) {
    const Entry& found = item.second;
    return found.connections == 0 && found.unwritten.empty() && found.hour < hour - static_cast<std::int64_t>(kHours);
  });
}

std::optional<QuotaExcess> QuotaLedger::excess(QuotaOwner owner, const std::string& name, const Quota& quota,
                                               const Usage& usage, std::int64_t hour) {
  if (std::ranges::all_of(quota.limits, [](std::uint64_t limit) { return limit == 0; })) return std::nullopt;
  const Entry& found = entry(owner, name, hour);
  Usage this_hour = found.hours[static_cast<std::size_t>(hour) % kHours];
  Usage day = day_of(found);
  this_hour += usage;
  day += usage;
  for (std::size_t i = 0; i < kQuotaKinds; ++i) {
    const auto kind = static_cast<QuotaKind>(i);
    const bool adds = kind != QuotaKind::NewRecipientsPerDay || usage.new_recipients > 0;
    if (quota.limit(kind) > 0 && adds && used(kind, this_hour, day) > quota.limit(kind))
      return QuotaExcess{owner, name, kind, quota.limit(kind), quota.over_limit};
  }
  return std::nullopt;
}

}  // namespace waxwing
