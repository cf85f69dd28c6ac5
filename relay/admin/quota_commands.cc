#include "relay/admin/quota_commands.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "relay/admin/reply_lines.h"
#include "relay/store/account_store.h"
#include "relay/store/quota_store.h"

namespace waxwing {
namespace {

using Json = nlohmann::ordered_json;

Json limits_json(const Quota& quota) {
  Json limits = Json::object();
  for (std::size_t i = 0; i < kQuotaKinds; ++i) {
    const auto kind = static_cast<QuotaKind>(i);
    if (quota.limit(kind) > 0) limits[std::string(quota_name(kind))] = quota.limit(kind);
  }
  return limits;
}

void add_quota(Json& line, const Quota& quota) {
  line["limits"] = limits_json(quota);
  line["over_limit"] = quota.over_limit == OverLimit::Hold ? "hold" : "reject";
  line["held"] = quota.held_because.empty() ? Json(nullptr) : Json(quota.held_because);
}

// The names of tenants that accounts belong to, and of those for which something was set.
Result<std::map<std::string, Quota>> all_tenants(SqliteQueueStore& store) {
  auto set = store.quotas().tenants();
  if (!set) return tl::unexpected(std::move(set.error()));
  auto accounts = store.accounts().list();
  if (!accounts) return tl::unexpected(std::move(accounts.error()));
  std::map<std::string, Quota> tenants(set->begin(), set->end());
  for (const Account& account : *accounts) tenants.try_emplace(account.tenant_name());
  return tenants;
}

Result<void> check_exists(SqliteQueueStore& store, QuotaOwner owner, const std::string& name) {
  if (owner == QuotaOwner::Account) {
    auto account = store.accounts().find(name);
    if (!account) return tl::unexpected(std::move(account.error()));
    return {};
  }
  const auto tenants = all_tenants(store);
  if (!tenants) return tl::unexpected(tenants.error());
  if (tenants->contains(name)) return {};
  return fail(ErrorKind::NotFound, fmt::format("there is no tenant {}", name));
}

// Changes what is set for an existing account or tenant.
template <class Change>
Result<AdminReply> change_quota(SqliteQueueStore& store, QuotaOwner owner, const std::string& name,
                                const Change& change) {
  if (auto exists = check_exists(store, owner, name); !exists) return tl::unexpected(std::move(exists.error()));
  auto quota = store.quotas().find(owner, name);
  if (!quota) return tl::unexpected(std::move(quota.error()));
  change(*quota);
  if (auto set = store.quotas().set(owner, name, *quota); !set) return tl::unexpected(std::move(set.error()));
  AdminReply reply;
  Json line = {{"name", name}};
  add_quota(line, *quota);
  add_line(reply, line);
  return reply;
}

}  // namespace

Result<AdminReply> quota_show(AdminRequest& request, SqliteQueueStore& store, QuotaOwner owner, WallTime now) {
  const std::string name = request.text("name");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  if (auto exists = check_exists(store, owner, name); !exists) return tl::unexpected(std::move(exists.error()));
  auto quota = store.quotas().find(owner, name);
  if (!quota) return tl::unexpected(std::move(quota.error()));
  auto used = store.quotas().usage_of(owner, name, now);
  if (!used) return tl::unexpected(std::move(used.error()));
  Json line = {{"name", name}};
  if (owner == QuotaOwner::Account) {
    auto account = store.accounts().find(name);
    if (!account) return tl::unexpected(std::move(account.error()));
    line["tenant"] = account->tenant_name();
    line["allowed_senders"] = account->allowed_senders;
    line["uid"] = account->uid ? Json(*account->uid) : Json(nullptr);
    line["declared"] = account->declared;
  }
  add_quota(line, *quota);
  line["last_day"] = {{"messages", used->messages},   {"recipients", used->recipients},
                      {"octets", used->octets},       {"new_recipients", used->new_recipients},
                      {"delivered", used->delivered}, {"bounced", used->bounced}};
  AdminReply reply;
  add_line(reply, line);
  return reply;
}

Result<AdminReply> quota_limit(AdminRequest& request, SqliteQueueStore& store, QuotaOwner owner) {
  const std::string name = request.text("name");
  std::map<QuotaKind, std::uint64_t> limits;
  for (std::size_t i = 0; i < kQuotaKinds; ++i) {
    const auto kind = static_cast<QuotaKind>(i);
    if (const auto limit = request.number(std::string(quota_name(kind)).c_str())) limits[kind] = *limit;
  }
  const std::string over_limit = request.text("over_limit");
  if (!over_limit.empty() && over_limit != "hold" && over_limit != "reject")
    request.refuse("\"over_limit\" is \"hold\" or \"reject\"");
  if (limits.empty() && over_limit.empty()) request.refuse("no limit is given");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  return change_quota(store, owner, name, [&](Quota& quota) {
    for (const auto& [kind, limit] : limits) quota.set_limit(kind, limit);
    if (!over_limit.empty()) quota.over_limit = over_limit == "hold" ? OverLimit::Hold : OverLimit::Reject;
  });
}

Result<AdminReply> quota_hold(AdminRequest& request, SqliteQueueStore& store, QuotaOwner owner) {
  const std::string name = request.text("name");
  const std::string reason = request.text("reason");
  if (reason.empty()) request.refuse("\"reason\" is missing");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  return change_quota(store, owner, name, [&](Quota& quota) { quota.held_because = reason; });
}

Result<AdminReply> quota_release(AdminRequest& request, SqliteQueueStore& store, QuotaOwner owner) {
  const std::string name = request.text("name");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  return change_quota(store, owner, name, [](Quota& quota) { quota.held_because.clear(); });
}

Result<AdminReply> tenant_add(AdminRequest& request, SqliteQueueStore& store) {
  const std::string name = request.text("name");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto tenants = all_tenants(store);
  if (!tenants) return tl::unexpected(tenants.error());
  if (tenants->contains(name)) return fail(ErrorKind::Conflict, fmt::format("there is a tenant {} already", name));
  if (auto set = store.quotas().set(QuotaOwner::Tenant, name, {}); !set) return tl::unexpected(std::move(set.error()));
  AdminReply reply;
  add_line(reply, {{"name", name}, {"added", true}});
  return reply;
}

Result<AdminReply> tenant_list(AdminRequest& request, SqliteQueueStore& store) {
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto tenants = all_tenants(store);
  if (!tenants) return tl::unexpected(tenants.error());
  AdminReply reply;
  for (const auto& [name, quota] : *tenants) {
    Json line = {{"name", name}};
    add_quota(line, quota);
    add_line(reply, line);
  }
  return reply;
}

}  // namespace waxwing
