#pragma once

#include <functional>
#include <memory>

#include "policy/result.h"
#include "transport/io/connection.h"
#include "transport/io/endpoint.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// Accepts connections on one address. Several loops may listen on the same endpoint (SO_REUSEPORT); the kernel spreads
/// the connections. Another process of the same user may do so too: whoever must be alone holds a lock of its own.
class Listener {
 public:
  /// Takes a new connection; set_callbacks() starts it. The listener may be destroyed inside.
  using OnAccept = std::function<void(std::unique_ptr<Connection>)>;

  /// Binds and listens. Port 0 takes a free one; see endpoint(). An IPv6 address takes no IPv4.
  /// @errors  Conflict: occupied; Denied: not permitted (ports below 1024); Exhausted: too many open files;
  ///          Unavailable: anything else. The detail names the endpoint and the remedy.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(EventLoop& loop, const Endpoint& endpoint,
                                                              OnAccept on_accept);

  /// Takes over a listening socket, for instance from systemd. Owns the descriptor from then on, also when it fails.
  /// @errors  Malformed: not a listening stream socket, of TCP or local
  [[nodiscard]] static Result<std::unique_ptr<Listener>> adopt(EventLoop& loop, int descriptor, OnAccept on_accept);

  ~Listener();  ///< stops accepting
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] const Endpoint& endpoint() const;

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace waxwing
