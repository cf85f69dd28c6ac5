#pragma once

#include <functional>

#include "relay/admin/admin_commands.h"
#include "relay/admin/control_server.h"
#include "relay/admin/live_commands.h"
#include "relay/store/store_thread.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// What a running relay has for the commands of operators.
struct AdminServices {
  StoreThread& store;
  EventLoop& loop;       ///< of the control server
  AdminContext context;  ///< its uid is that of each request's peer
  LiveQueue live;        ///< called on the loop's thread
  /// Called on the loop's thread, before the answer, when a command has succeeded.
  std::function<void(const AdminEffects&)> on_effects;
};

/// What a running relay does with requests on its control socket: runs them on the store thread, and answers when their
/// changes are durable.
[[nodiscard]] LocalRequestServer::Handle admin_handler(AdminServices services);

}  // namespace waxwing
