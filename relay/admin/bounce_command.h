#pragma once

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

/// Returns messages to their senders, as admin_commands.h describes it.
[[nodiscard]] Result<AdminReply> queue_bounce(AdminRequest& request, SqliteQueueStore& store, WallTime now,
                                              const AdminContext& context);

}  // namespace waxwing
