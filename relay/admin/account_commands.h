#pragma once

#include "policy/result.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// The commands about accounts, as admin_commands.h describes them.

[[nodiscard]] Result<AdminReply> account_add(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> account_passwd(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> account_list(AdminRequest& request, SqliteQueueStore& store);

[[nodiscard]] Result<AdminReply> account_token(AdminRequest& request, SqliteQueueStore& store, WallTime now);
[[nodiscard]] Result<AdminReply> account_certificates(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> account_revoke(AdminRequest& request, SqliteQueueStore& store);

}  // namespace waxwing
