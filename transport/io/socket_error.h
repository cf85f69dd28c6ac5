#pragma once

#include <optional>

#include "policy/result.h"
#include "transport/io/endpoint.h"

namespace waxwing {

/// Says why a connection could not be made.
/// @param status  libuv's error code
/// @return        NotFound where the source address is at fault, not the peer
[[nodiscard]] Error connect_error(int status, const Endpoint& peer, const std::optional<IpAddress>& source);

/// Says why an established connection is over.
/// @param status  libuv's error code
[[nodiscard]] Error stream_error(int status, const Endpoint& peer);

/// Says why nobody can listen on an endpoint.
/// @param number  errno
[[nodiscard]] Error listen_error(int number, const Endpoint& endpoint);

}  // namespace waxwing
