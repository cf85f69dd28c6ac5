#include "relay/daemon/submission_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "relay/server/recipient_fingerprint.h"
#include "relay/store/account_store.h"
#include "relay/store/quota_store.h"

namespace waxwing {
namespace {

ServerReply over_limit(const QuotaExcess& excess) {
  const bool connections = excess.kind == QuotaKind::Connections;
  return {
      connections ? 421 : 452, connections ? "4.7.0" : "4.7.1", {reply_text(excess.sentence() + "; try again later")}};
}

ServerReply unreadable() {
  return {451, "4.3.0", {"the accounts cannot be read now; try again later"}};
}

Account declared_account(const AccountConfig& config) {
  Account account;
  account.name = config.name;
  account.tenant = config.tenant;
  account.password_hash = config.password_hash;
  account.scram_keys = config.scram_keys;
  account.allowed_senders = config.senders;
  account.certificates = config.certificates;
  if (config.uid <= UINT32_MAX) account.uid = static_cast<std::uint32_t>(config.uid);
  return account;
}

Result<void> declare_limits(QuotaStore& store, QuotaOwner owner, const std::string& name, const LimitsConfig& limits) {
  auto quota = store.find(owner, name);
  if (!quota) return tl::unexpected(std::move(quota.error()));
  quota->limits = {limits.messages_per_hour,  limits.messages_per_day, limits.recipients_per_hour,
                   limits.recipients_per_day, limits.octets_per_day,   limits.new_recipients_per_day,
                   limits.connections};
  quota->over_limit = limits.over_limit == LimitsConfig::OverLimit::Hold ? OverLimit::Hold : OverLimit::Reject;
  return store.set(owner, name, *quota);
}

}  // namespace

SubmissionLimits::SubmissionLimits(const Config& config, StoreThread& store, EventLog& log)
    : config_(config), store_(store), log_(log) {}

Result<void> SubmissionLimits::load(SqliteQueueStore& store, WallTime now) {
  std::vector<Account> accounts;
  for (const AccountConfig& account : config_.accounts) accounts.push_back(declared_account(account));
  if (auto declared = store.accounts().declare(accounts); !declared) return declared;
  for (const AccountConfig& account : config_.accounts) {
    auto declared = declare_limits(store.quotas(), QuotaOwner::Account, account.name, account);
    if (!declared) return declared;
  }
  for (const TenantConfig& tenant : config_.tenants) {
    auto declared = declare_limits(store.quotas(), QuotaOwner::Tenant, tenant.name, tenant);
    if (!declared) return declared;
  }
  auto usage = store.quotas().usage(now);
  if (!usage) return tl::unexpected(std::move(usage.error()));
  ledger_.load(*usage, now);
  return {};
}

Result<SubmissionLimits::Quotas> SubmissionLimits::quotas(QueueReader& reader, const Account& account) const {
  auto of_account = reader.find_quota(QuotaOwner::Account, account.name);
  if (!of_account) return tl::unexpected(std::move(of_account.error()));
  auto of_tenant = reader.find_quota(QuotaOwner::Tenant, account.tenant_name());
  if (!of_tenant) return tl::unexpected(std::move(of_tenant.error()));
  return Quotas{std::move(*of_account), std::move(*of_tenant)};
}

std::optional<ServerReply> SubmissionLimits::check(QueueReader& reader, const Account& account, WallTime now) {
  const auto limits = quotas(reader, account);
  if (!limits) return unreadable();
  const auto excess = ledger_.peek(account.name, account.tenant_name(), limits->account, limits->tenant, now);
  return excess ? std::optional(over_limit(*excess)) : std::nullopt;
}

SubmissionLimits::Admission SubmissionLimits::admit(QueueReader& reader, const Account& account,
                                                    const std::vector<EnvelopeRecipient>& recipients,
                                                    std::uint64_t octets, WallTime now) {
  const auto limits = quotas(reader, account);
  if (!limits) return {unreadable(), {}};
  QuotaLedger::Message message{account.name, account.tenant_name(), recipients.size(), octets, {}};
  if (limits->account.limit(QuotaKind::NewRecipientsPerDay) > 0 ||
      limits->tenant.limit(QuotaKind::NewRecipientsPerDay) > 0) {
    std::vector<std::string> fingerprints;
    for (const EnvelopeRecipient& recipient : recipients) {
      std::string fingerprint = recipient_fingerprint(recipient.address);
      if (std::ranges::find(fingerprints, fingerprint) == fingerprints.end())
        fingerprints.push_back(std::move(fingerprint));
    }
    auto unknown = reader.unknown_recipients(account.name, fingerprints);
    if (!unknown) return {unreadable(), {}};
    message.unknown_recipients = std::move(*unknown);
  }
  const auto excess = ledger_.charge(message, limits->account, limits->tenant, now);
  if (excess && excess->over_limit == OverLimit::Reject) return {over_limit(*excess), {}};
  if (!limits->account.held_because.empty()) return {std::nullopt, limits->account.held_because};
  if (!limits->tenant.held_because.empty()) return {std::nullopt, limits->tenant.held_because};
  if (excess) return {std::nullopt, excess->sentence()};
  if (const auto sudden = sudden_volume(account.name, now)) {
    hold(account.name, *sudden);
    return {std::nullopt, *sudden};
  }
  return {};
}

std::optional<std::string> SubmissionLimits::sudden_volume(const std::string& account, WallTime now) {
  if (config_.sudden_volume == 0) return std::nullopt;
  const QuotaLedger::Recent recent = ledger_.recent(QuotaOwner::Account, account, now);
  const std::uint64_t usual = recent.busiest_recipients * kSuddenFactor;
  if (recent.this_hour.recipients <= std::max<std::uint64_t>(config_.sudden_volume, usual)) return std::nullopt;
  return fmt::format(
      "account {} has written to {} recipients in this hour, after at most {} in an hour of the last day", account,
      recent.this_hour.recipients, recent.busiest_recipients);
}

void SubmissionLimits::count_outcome(const std::string& account, const std::string& tenant, bool bounced,
                                     WallTime now) {
  if (account.empty()) return;
  ledger_.count_outcome(account, tenant, bounced, now);
  if (!bounced || config_.bounce_percent == 0) return;
  const Usage day = ledger_.recent(QuotaOwner::Account, account, now).day;
  const std::uint64_t outcomes = day.delivered + day.bounced;
  if (outcomes < kLeastOutcomes || day.bounced * 100 <= outcomes * config_.bounce_percent) return;
  hold(account, fmt::format("{} of the last {} recipients of account {} bounced", day.bounced, outcomes, account));
}

// Many messages may find the same at the same time; the store tells which came first.
void SubmissionLimits::hold(const std::string& account, const std::string& sentence) {
  const auto changed = std::make_shared<bool>(false);
  store_.run(
      [account, sentence, changed](SqliteQueueStore& store) -> Result<void> {
        auto quota = store.quotas().find(QuotaOwner::Account, account);
        if (!quota) return tl::unexpected(std::move(quota.error()));
        if (!quota->held_because.empty()) return {};
        quota->held_because = sentence;
        *changed = true;
        return store.quotas().set(QuotaOwner::Account, account, *quota);
      },
      [this, account, sentence, changed](const Result<void>& done) {
        if (!done)
          log_.write(Severity::Error, "account_not_held", {{"account", account}, {"reason", done.error().detail}});
        else if (*changed)
          log_.write(Severity::Warning, "account_held", {{"account", account}, {"reason", sentence}});
      });
}

std::optional<ServerReply> SubmissionLimits::connect(QueueReader& reader, const Account& account) {
  const auto limits = quotas(reader, account);
  if (!limits) return ServerReply{421, "4.3.0", {"the accounts cannot be read now; try again later"}};
  const auto excess = ledger_.connect(account.name, account.tenant_name(), limits->account, limits->tenant);
  return excess ? std::optional(over_limit(*excess)) : std::nullopt;
}

void SubmissionLimits::disconnect(const Account& account) {
  ledger_.disconnect(account.name, account.tenant_name());
}

std::optional<std::string> SubmissionLimits::open(const ListenerConfig& listener, const IpAddress& peer) {
  const std::lock_guard lock(mutex_);
  std::uint64_t& of_listener = by_listener_[listener.name];
  if (listener.max_connections > 0 && of_listener >= listener.max_connections)
    return fmt::format("listener.max_connections of {} is reached", listener.name);
  if (!peer.is_loopback() && listener.max_connections_per_address > 0) {
    std::uint64_t& of_address = by_address_[peer];
    if (of_address >= listener.max_connections_per_address)
      return fmt::format("listener.max_connections_per_address of {} is reached", listener.name);
    ++of_address;
  }
  ++of_listener;
  return std::nullopt;
}

void SubmissionLimits::close(const ListenerConfig& listener, const IpAddress& peer) {
  const std::lock_guard lock(mutex_);
  --by_listener_[listener.name];
  if (peer.is_loopback() || listener.max_connections_per_address == 0) return;
  const auto found = by_address_.find(peer);
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

void SubmissionLimits::write_down() {
  {
    const std::lock_guard lock(mutex_);
    if (writing_) return;
    writing_ = true;
  }
  const auto changes = std::make_shared<UsageChanges>(ledger_.take_changes());
  const auto done = [this, changes](const Result<void>& written) {
    written ? ledger_.written(*changes) : ledger_.not_written(*changes);
    const std::lock_guard lock(mutex_);
    writing_ = false;
  };
  if (changes->empty()) return done({});
  store_.run(
      [changes](SqliteQueueStore& store) {
        return store.quotas().add_usage(*changes, std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()));
      },
      done);
}

}  // namespace waxwing
