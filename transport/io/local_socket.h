#pragma once

#include <string>

#include <sys/types.h>

#include "policy/result.h"

namespace waxwing {

/// Binds a stream socket of the local domain that does not listen yet. A socket that nobody serves any more is replaced.
/// @param mode  of the socket file: who may write to it may connect
/// @return  its descriptor
/// @errors  Malformed: the path is too long; Conflict: another process listens there; Denied, NotFound, Unavailable: as
///          the system says, with path and remedy
[[nodiscard]] Result<int> bind_local_socket(const std::string& path, mode_t mode);

/// Opens a listening socket there, for Listener::adopt().
/// @errors  as bind_local_socket()
[[nodiscard]] Result<int> listen_on_local_socket(const std::string& path, mode_t mode);

}  // namespace waxwing
