#pragma once

#include <memory>
#include <string>

#include "policy/result.h"
#include "transport/io/event_loop.h"
#include "transport/io/local_request_server.h"

namespace waxwing {

/// Listens on the control socket for the commands of operators.
/// @errors  as LocalRequestServer::open()
[[nodiscard]] Result<std::unique_ptr<LocalRequestServer>> open_control_server(EventLoop& loop,
                                                                              const std::string& run_directory,
                                                                              LocalRequestServer::Handle handle);

}  // namespace waxwing
