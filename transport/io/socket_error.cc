#include "transport/io/socket_error.h"

#include <fmt/format.h>
#include <uv.h>

#include <cerrno>

namespace waxwing {

Error connect_error(int status, const Endpoint& peer, const std::optional<IpAddress>& source) {
  const std::string name = peer.str();
  const std::string from = source ? source->str() : "the chosen source address";
  switch (status) {
    case UV_ECONNREFUSED:
      return {ErrorKind::Unavailable, fmt::format("{} refused the connection", name)};
    case UV_ETIMEDOUT:
      return {ErrorKind::Unavailable, fmt::format("{} did not answer", name)};
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
      return {ErrorKind::Unavailable, fmt::format("there is no route to {}", name)};
    case UV_EADDRNOTAVAIL:
      return {
          ErrorKind::NotFound,
          fmt::format("cannot connect to {} from {}: this machine does not have that address, or no port of it is free",
                      name, from)};
    case UV_EAFNOSUPPORT:
    case UV_EINVAL:
      return {
          ErrorKind::Unavailable,
          fmt::format("cannot connect to {} from {}: the addresses do not fit together, or this machine lacks their "
                      "protocol",
                      name, from)};
    case UV_EACCES:
    case UV_EPERM:
      return {ErrorKind::Denied, fmt::format("this machine forbids connecting to {}; look at its firewall", name)};
    case UV_EMFILE:
    case UV_ENFILE:
      return {ErrorKind::Exhausted,
              fmt::format("cannot connect to {}: too many open files; raise the limit (LimitNOFILE)", name)};
    default:
      return {ErrorKind::Unavailable, fmt::format("cannot connect to {}: {}", name, uv_strerror(status))};
  }
}

Error stream_error(int status, const Endpoint& peer) {
  const std::string name = peer.str();
  switch (status) {
    case UV_ECONNRESET:
    case UV_EPIPE:
      return {ErrorKind::Unavailable, fmt::format("{} reset the connection", name)};
    case UV_ETIMEDOUT:
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
      return {ErrorKind::Unavailable, fmt::format("{} cannot be reached any more", name)};
    default:
      return {ErrorKind::Unavailable, fmt::format("the connection with {} failed: {}", name, uv_strerror(status))};
  }
}

Error listen_error(int number, const Endpoint& endpoint) {
  const std::string name = endpoint.str();
  switch (number) {
    case EADDRINUSE:
      return {ErrorKind::Conflict, fmt::format("{} is in use by another program; stop it or listen elsewhere", name)};
    case EACCES:
    case EPERM:
      return {ErrorKind::Denied,
              fmt::format("listening on {} is not permitted; hand the socket over by systemd, give the program "
                          "CAP_NET_BIND_SERVICE, or choose a port from 1024 up",
                          name)};
    case EADDRNOTAVAIL:
      return {ErrorKind::Unavailable,
              fmt::format("{} is not an address of this machine; add it to an interface or listen elsewhere", name)};
    case EAFNOSUPPORT:
      return {ErrorKind::Unavailable, fmt::format("this machine lacks the protocol for {}; listen elsewhere", name)};
    case EMFILE:
    case ENFILE:
      return {ErrorKind::Exhausted,
              fmt::format("cannot listen on {}: too many open files; raise the limit (LimitNOFILE)", name)};
    default:
      return {ErrorKind::Unavailable,
              fmt::format("cannot listen on {}: {}", name, uv_strerror(uv_translate_sys_error(number)))};
  }
}

}  // namespace waxwing
