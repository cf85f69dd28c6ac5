#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waxwing {

/// A listening socket that the service manager handed over.
struct InheritedSocket {
  std::string name;  ///< FileDescriptorName= of the socket unit: the listener it is for
  int descriptor = -1;
};

/// Sockets of LISTEN_FDS that are meant for this process; none without socket activation. The environment is cleared,
/// so that child processes do not take them for theirs. To be called once, before threads start.
/// @source  sd_listen_fds(3)
[[nodiscard]] std::vector<InheritedSocket> take_inherited_sockets();

/// Tells the service manager a state such as "READY=1" (NOTIFY_SOCKET); without one it does nothing.
/// @source  sd_notify(3)
void notify_service_manager(std::string_view state);

}  // namespace waxwing
