#pragma once

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/queue/quota.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// The commands about what accounts and tenants may use, as admin_commands.h describes them.

[[nodiscard]] Result<AdminReply> quota_show(AdminRequest& request, SqliteQueueStore& store, QuotaOwner owner,
                                            WallTime now);
[[nodiscard]] Result<AdminReply> quota_limit(AdminRequest& request, SqliteQueueStore& store, QuotaOwner owner);
[[nodiscard]] Result<AdminReply> quota_hold(AdminRequest& request, SqliteQueueStore& store, QuotaOwner owner);
[[nodiscard]] Result<AdminReply> quota_release(AdminRequest& request, SqliteQueueStore& store, QuotaOwner owner);
[[nodiscard]] Result<AdminReply> tenant_add(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> tenant_list(AdminRequest& request, SqliteQueueStore& store);

}  // namespace waxwing
