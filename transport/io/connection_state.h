#pragma once

// Private to transport/io: what stays of a Connection until libuv has closed its handle.

#include <string>

#include "policy/input_buffer.h"
#include "transport/io/connection.h"
#include "transport/io/loop_handle.h"

namespace waxwing {

/// A Connection's handle, queues and phase. It owns itself until libuv has closed the handle, and outlives its
/// Connection while it lingers.
struct Connection::State final : public LoopHandle, public std::enable_shared_from_this<Connection::State> {
  enum class Phase {
    Connecting,  ///< TCP is not established; what is written waits
    Open,        ///< octets flow
    Over,        ///< the owner was told of the end; after an orderly one it may still write
    Lingering,   ///< the owner has closed; what is queued goes out and what arrives is discarded
    Closed,      ///< the handle is closing or closed
  };

  /// How the stream ended; no error: in order.
  struct End {
    std::optional<Error> error;
  };

  State(EventLoop& its_loop, const Endpoint& its_peer) : loop(its_loop), peer(its_peer) {}

  // Life; connection_state.cc. Exactly one of the first two is called, and first.
  void start_connecting(const std::optional<IpAddress>& source);
  [[nodiscard]] bool take_over(int descriptor);
  void on_connected(int status);
  void set_callbacks(Callbacks its_callbacks);
  void close(Milliseconds linger);
  void abandon() override;
  void own_itself();

  // Reading; connection_reading.cc.
  void update_reading();
  void resume_reading();
  void on_read(ssize_t count);
  void on_octets(std::string_view octets);
  void on_end_of_file();
  void take(std::string_view octets);
  void deliver(std::string_view octets);
  void deliver_pending();
  void end_stream(std::optional<Error> error);

  // TLS; connection_tls.cc.
  void start_tls(std::unique_ptr<TlsSession> its_session, std::string_view first_octets);
  void feed_session(std::string_view ciphertext);
  void announce_secured();
  void write_to_session(std::string_view octets);
  [[nodiscard]] bool handshaking() const;

  // Writing; connection_writing.cc.
  void write(std::string_view octets);
  void send(std::string_view octets);
  void start_write();
  void on_written(int status);
  void on_write_failed(int status);
  void report_drained();
  void send_fin();
  [[nodiscard]] bool all_sent() const { return queued.empty() && in_flight.empty() && before_secured.empty(); }

  /// Runs `step` in a later turn, unless the owner is gone by then.
  void defer(void (State::*step)());

  [[nodiscard]] uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }
  [[nodiscard]] static State& of(const void* data) {
    return static_cast<State&>(*static_cast<LoopHandle*>(const_cast<void*>(data)));
  }

  EventLoop& loop;
  const Endpoint peer;
  Endpoint local;
  std::optional<std::uint32_t> peer_uid;
  Phase phase = Phase::Connecting;
  uv_tcp_t handle{};
  uv_connect_t connect_request{};
  uv_write_t write_request{};
  uv_shutdown_t shutdown_request{};
  std::shared_ptr<State> self;                 ///< cleared when libuv has closed the handle
  std::shared_ptr<const Callbacks> callbacks;  ///< shared with a call in progress, so that it may be replaced inside
  std::unique_ptr<TlsSession> session;
  std::unique_ptr<Timer> linger_timer;
  InputBuffer inbox;           ///< held back while reading is paused
  std::string before_secured;  ///< written by the owner during the handshake
  std::string queued;          ///< for the network, behind in_flight
  std::string in_flight;       ///< lent to write_request
  std::optional<End> end;      ///< seen, but not yet reported
  std::size_t discarded = 0;   ///< octets that arrived while lingering
  bool paused = false;
  bool hears_end = false;  ///< while paused
  bool reading = false;
  bool peer_finished = false;  ///< its FIN has arrived
  bool fin_sent = false;       ///< ours is on its way
  bool secured = false;        ///< the handshake was announced
  bool cut = false;            ///< FIN without close_notify
  bool drain_due = false;      ///< on_drained is owed
  bool write_broken = false;   ///< the peer takes no more
};

}  // namespace waxwing
