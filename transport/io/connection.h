#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/io/endpoint.h"
#include "transport/io/event_loop.h"
#include "transport/tls/tls_session.h"

namespace waxwing {

/// A byte stream over TCP or a local socket, in clear or with TLS on top. Made by connect() or by a Listener; belongs to its loop's
/// thread. Whoever owns it gets plain octets whatever lies below. Callbacks are never called inside the owner's own
/// calls, and none after the object is gone or close() was called; the object may be destroyed inside a callback.
class Connection {
 public:
  struct Callbacks {
    /// TCP is established (outgoing connections only).
    std::function<void()> on_connected;
    /// Octets of the peer; the view is valid during the call, and no longer than the object.
    std::function<void(std::string_view)> on_bytes;
    /// start_tls() has completed; see tls().
    std::function<void()> on_secured;
    /// The stream is over. No error: the peer ended it in order (with TLS: by close_notify); write() and close() still
    /// reach a peer that only ended its own direction. No callback follows.
    std::function<void(std::optional<Error>)> on_closed;
    /// All that was written has been handed to the kernel; once after one or more write().
    std::function<void()> on_drained;
  };

  /// Starts connecting. Failure is reported by on_closed; the time limit is the owner's.
  /// @param source  local address to bind to; no value: the kernel chooses
  [[nodiscard]] static std::unique_ptr<Connection> connect(EventLoop& loop, const Endpoint& peer,
                                                           const std::optional<IpAddress>& source);

  ~Connection();  ///< drops what is queued, unless close() was called
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Says who listens. Nothing is read and nothing reported before the first call.
  void set_callbacks(Callbacks callbacks);

  /// Queues octets, also before the connection or the handshake is complete. Memory grows until the peer reads; watch
  /// pending_octets(). Ignored once the stream has failed.
  void write(std::string_view octets);

  /// Octets written but not yet taken by the kernel.
  [[nodiscard]] std::size_t pending_octets() const;

  /// Stops and resumes on_bytes; for back-pressure. A handshake continues; while paused, the end of the stream is not
  /// seen either.
  void pause_reading();
  /// As pause_reading(), but the end of the stream is reported, unless the peer says something before it.
  void await_end();
  void resume_reading();

  /// Begins a handshake as the session's side. No octet that arrived in clear is delivered afterwards: what the kernel
  /// still holds goes to the session, which fails on anything that is not a handshake. So nothing sent before the
  /// handshake can be taken for something sent inside it. What the owner still holds of its last on_bytes, it must
  /// drop. A failed handshake is reported by on_closed, with TlsSession::failure() as detail.
  /// @source  RFC 3207 §4.2
  /// @param first_octets  of the handshake: what came together with a header that stands in front of TLS
  void start_tls(std::unique_ptr<TlsSession> session, std::string_view first_octets = {});

  /// The TLS session, or nullptr while the stream is in clear.
  [[nodiscard]] const TlsSession* tls() const;

  /// Whether the stream ended by FIN where TLS requires close_notify, so that the end of what arrived may be missing.
  /// on_closed then has an error with "cut without close_notify" in its detail.
  /// @source  RFC 8446 §6.1
  [[nodiscard]] bool truncated() const;

  /// Sends what is queued, then close_notify and FIN, and waits for the peer's FIN; all that for at most `linger`
  /// (none: one try without waiting). Before the connection stands, nothing is sent. The owner hears nothing more and
  /// may destroy the object at once.
  void close(Milliseconds linger);

  /// The user that the other side ran as when it connected, on a local socket; no value: it came over TCP.
  [[nodiscard]] std::optional<std::uint32_t> peer_uid() const;

  /// Address of the other side and of ours; ours is 0.0.0.0:0 until the connection is established. On a local socket
  /// both are 127.0.0.1:0.
  [[nodiscard]] const Endpoint& peer() const;
  [[nodiscard]] const Endpoint& local() const;

 private:
  friend class Listener;
  struct State;
  explicit Connection(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace waxwing
