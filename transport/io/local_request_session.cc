#include "transport/io/local_request_session.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string_view>
#include <utility>

namespace waxwing {
namespace {

LocalRequestSession& session_of(void* data) {
  return *static_cast<LocalRequestSession*>(static_cast<LoopHandle*>(data));
}

}  // namespace

LocalRequestSession::LocalRequestSession(EventLoop& loop, const LocalRequestServer::Options& options,
                                         const LocalRequestServer::Handle& handle, OnClosed on_closed)
    : loop_(loop), options_(options), handle_(handle), on_closed_(std::move(on_closed)), deadline_(loop, [this] {
        close();
      }) {}

void LocalRequestSession::accept(uv_stream_t* listener) {
  self_ = shared_from_this();
  uv_pipe_init(loop_.native(), &pipe_, 0);
  pipe_.data = static_cast<LoopHandle*>(this);
  auto* stream = reinterpret_cast<uv_stream_t*>(&pipe_);
  if (uv_accept(listener, stream) != 0) return close();
  deadline_.start(kLocalRequestTimeout);
  if (!peer_may_ask()) return respond(options_.denied_answer);
  const auto allocate = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    const std::span<char> room = session_of(handle->data).loop_.read_buffer();
    *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
  };
  const int started = uv_read_start(stream, allocate, [](uv_stream_t* its_stream, ssize_t count, const uv_buf_t*) {
    session_of(its_stream->data).on_read(count);
  });
  if (started != 0) close();
}

void LocalRequestSession::close() {
  if (std::exchange(closed_, true)) return;
  deadline_.stop();
  uv_close(reinterpret_cast<uv_handle_t*>(&pipe_),
           [](uv_handle_t* handle) { const auto last_owner = std::move(session_of(handle->data).self_); });
  std::exchange(on_closed_, nullptr)(shared_from_this());
}

bool LocalRequestSession::peer_may_ask() {
  uv_os_fd_t descriptor = -1;
  ucred peer{};
  socklen_t length = sizeof peer;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&pipe_), &descriptor) != 0) return false;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  peer_uid_ = peer.uid;
  return peer.uid == 0 || peer.uid == ::geteuid() || peer.uid == options_.also_heard;
}

void LocalRequestSession::on_read(ssize_t count) {
  if (count == 0) return;
  if (count < 0) return close();
  if (asked_) return;  // whatever follows the request is not ours to read
  request_.append(loop_.read_buffer().data(), static_cast<std::size_t>(count));
  const std::size_t end = request_.find('\n');
  if (end == std::string::npos && request_.size() <= options_.max_request_octets) return;
  asked_ = true;
  deadline_.stop();  // the answer may take its time
  if (end == std::string::npos || end > options_.max_request_octets) return respond(options_.too_long_answer);
  request_.resize(end);
  handle_({std::move(request_), peer_uid_}, [weak = weak_from_this()](std::string text) {
    if (const auto session = weak.lock()) session->respond(std::move(text));
  });
}

void LocalRequestSession::respond(std::string text) {
  if (closed_) return;
  answer_ = std::move(text);
  deadline_.start(kLocalRequestTimeout);
  write_.data = static_cast<LoopHandle*>(this);
  const uv_buf_t buffer = uv_buf_init(answer_.data(), static_cast<unsigned>(answer_.size()));
  const int written = uv_write(&write_, reinterpret_cast<uv_stream_t*>(&pipe_), &buffer, 1,
                               [](uv_write_t* write, int) { session_of(write->data).close(); });
  if (written != 0) close();
}

}  // namespace waxwing
