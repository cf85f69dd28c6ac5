#pragma once

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// The commands about sources of mail, as admin_commands.h describes them.

[[nodiscard]] Result<AdminReply> egress_list(AdminRequest& request, SqliteQueueStore& store, WallTime now);
[[nodiscard]] Result<AdminReply> egress_pause(AdminRequest& request, SqliteQueueStore& store, WallTime now);
[[nodiscard]] Result<AdminReply> egress_resume(AdminRequest& request, SqliteQueueStore& store, WallTime now);

}  // namespace waxwing
