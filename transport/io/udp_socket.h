#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "policy/result.h"
#include "transport/io/endpoint.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// A UDP socket with one peer, from a port that the kernel chooses; datagrams of others never arrive. Belongs to its
/// loop's thread. No callback after the object is gone; it may be destroyed inside one.
class UdpSocket {
 public:
  /// @param on_datagram  called for each; the view is valid during the call
  /// @param on_error     called when the kernel reports one, such as a closed port; the socket stays usable
  /// @errors             Unavailable: no route to the peer, or no socket left
  [[nodiscard]] static Result<std::unique_ptr<UdpSocket>> connect(EventLoop& loop, const Endpoint& peer,
                                                                  std::function<void(std::string_view)> on_datagram,
                                                                  std::function<void(const Error&)> on_error);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  /// Sends now or, when the kernel has no room, not at all: whoever uses datagrams sends again anyway.
  void send(std::string_view datagram);

 private:
  struct State;
  explicit UdpSocket(State* state) : state_(state) {}
  State* state_;  ///< freed when libuv has closed the handle
};

}  // namespace waxwing
