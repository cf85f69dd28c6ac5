#pragma once

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// The commands about the queue, as admin_commands.h describes them.

[[nodiscard]] Result<AdminReply> queue_list(AdminRequest& request, SqliteQueueStore& store, WallTime now);
[[nodiscard]] Result<AdminReply> queue_show(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> queue_ids(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> queue_retry(AdminRequest& request, SqliteQueueStore& store, WallTime now);
[[nodiscard]] Result<AdminReply> queue_drop(AdminRequest& request, SqliteQueueStore& store, WallTime now);

}  // namespace waxwing
