#pragma once

#include <functional>

#include "relay/admin/admin_commands.h"
#include "relay/admin/control_server.h"
#include "relay/store/store_thread.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// What a running relay does with requests on its control socket: runs them on the store thread, and answers when their
/// changes are durable.
/// @param loop        of the control server
/// @param on_effects  called on the loop's thread, before the answer, when a command has succeeded
[[nodiscard]] LocalRequestServer::Handle admin_handler(StoreThread& store, EventLoop& loop,
                                                       std::function<void(const AdminEffects&)> on_effects);

}  // namespace waxwing
