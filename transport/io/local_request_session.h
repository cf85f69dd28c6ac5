#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>

#include "transport/io/event_loop.h"
#include "transport/io/local_request_server.h"
#include "transport/io/loop_handle.h"
#include "transport/io/timer.h"

namespace waxwing {

/// One connection of a LocalRequestServer: reads a line, hands it on, writes the answer, closes. Keeps itself until
/// libuv has let go of it.
class LocalRequestSession final : public LoopHandle, public std::enable_shared_from_this<LocalRequestSession> {
 public:
  using OnClosed = std::function<void(const std::shared_ptr<LocalRequestSession>&)>;

  /// @param options    borrowed, as long as the handle
  /// @param handle     borrowed; not called any more after close()
  /// @param on_closed  called once, also for close()
  LocalRequestSession(EventLoop& loop, const LocalRequestServer::Options& options,
                      const LocalRequestServer::Handle& handle, OnClosed on_closed);
  LocalRequestSession(const LocalRequestSession&) = delete;
  LocalRequestSession& operator=(const LocalRequestSession&) = delete;

  /// Accepts what waits at the listener, and starts.
  void accept(uv_stream_t* listener);
  void close();
  void abandon() override { close(); }

 private:
  [[nodiscard]] bool peer_may_ask();
  void on_read(ssize_t count);
  void respond(std::string text);

  EventLoop& loop_;
  const LocalRequestServer::Options& options_;
  const LocalRequestServer::Handle& handle_;
  OnClosed on_closed_;
  Timer deadline_;
  uv_pipe_t pipe_{};
  uv_write_t write_{};
  uid_t peer_uid_ = 0;
  std::string request_;
  std::string answer_;
  bool asked_ = false;
  bool closed_ = false;
  std::shared_ptr<LocalRequestSession> self_;
};

}  // namespace waxwing
