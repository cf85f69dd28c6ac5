#pragma once

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// Keeping messages from being sent, and letting them go, as admin_commands.h describes it.

[[nodiscard]] Result<AdminReply> queue_hold(AdminRequest& request, SqliteQueueStore& store, WallTime now);
[[nodiscard]] Result<AdminReply> queue_release(AdminRequest& request, SqliteQueueStore& store, WallTime now);

}  // namespace waxwing
