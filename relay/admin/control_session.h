#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>

#include "relay/admin/control_server.h"
#include "transport/io/event_loop.h"
#include "transport/io/loop_handle.h"
#include "transport/io/timer.h"

namespace waxwing {

/// One connection of the control socket: reads a line, hands it on, writes the answer, closes. Keeps itself until libuv
/// has let go of it.
class ControlSession final : public LoopHandle, public std::enable_shared_from_this<ControlSession> {
 public:
  using OnClosed = std::function<void(const std::shared_ptr<ControlSession>&)>;

  /// @param handle     borrowed; not called any more after close()
  /// @param on_closed  called once, also for close()
  ControlSession(EventLoop& loop, const ControlServer::Handle& handle, OnClosed on_closed);
  ControlSession(const ControlSession&) = delete;
  ControlSession& operator=(const ControlSession&) = delete;

  /// Accepts what waits at the listener, and starts.
  void accept(uv_stream_t* listener);
  void close();
  void abandon() override { close(); }

 private:
  [[nodiscard]] bool peer_may_command() const;
  void on_read(ssize_t count);
  void respond(std::string text);

  EventLoop& loop_;
  const ControlServer::Handle& handle_;
  OnClosed on_closed_;
  Timer deadline_;
  uv_pipe_t pipe_{};
  uv_write_t write_{};
  std::string request_;
  std::string answer_;
  bool asked_ = false;
  bool closed_ = false;
  std::shared_ptr<ControlSession> self_;
};

}  // namespace waxwing
