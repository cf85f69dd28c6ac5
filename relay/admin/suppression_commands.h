#pragma once

#include "policy/result.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// The commands of admin_commands.h that begin with "suppression".

[[nodiscard]] Result<AdminReply> suppression_list(AdminRequest& request, SqliteQueueStore& store, WallTime now);
[[nodiscard]] Result<AdminReply> suppression_add(AdminRequest& request, SqliteQueueStore& store, WallTime now);
[[nodiscard]] Result<AdminReply> suppression_remove(AdminRequest& request, SqliteQueueStore& store);
[[nodiscard]] Result<AdminReply> suppression_import(AdminRequest& request, SqliteQueueStore& store, WallTime now);

/// Entries of one answer to "suppression list", and of one "suppression import".
inline constexpr std::size_t kMaxSuppressionPortion = 500;

}  // namespace waxwing
