#pragma once

#include "policy/result.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// The commands about reports to recipient domains, as admin_commands.h describes them.

[[nodiscard]] Result<AdminReply> report_tls_list(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> report_tls_send(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> report_tls_show(AdminRequest& request, SqliteQueueStore& store);

}  // namespace waxwing
