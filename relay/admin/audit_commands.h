#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

// Who did what to the queue, and why, as admin_commands.h describes it.

[[nodiscard]] Result<AdminReply> audit_list(AdminRequest& request, SqliteQueueStore& store);

/// Writes down a command that has changed the queue, in the store and for the log (AdminEffects::on_queue).
/// @param request  the whole of it
[[nodiscard]] Result<void> note_in_audit_log(const nlohmann::json& request, const std::string& operator_name,
                                             const AdminContext& context, SqliteQueueStore& store, WallTime now,
                                             AdminReply& reply);

/// Lines of one answer to "audit list".
inline constexpr std::size_t kMaxAuditPortion = 500;

}  // namespace waxwing
