#pragma once

#include "policy/result.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// The commands about what is remembered of TLS, as admin_commands.h describes them.

[[nodiscard]] Result<AdminReply> tls_list(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> tls_forget(AdminRequest& request, SqliteQueueStore& store);

}  // namespace waxwing
