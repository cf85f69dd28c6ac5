#include "transport/io/local_request_server.h"

#include <fmt/format.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "transport/io/local_request_session.h"
#include "transport/io/local_socket.h"
#include "transport/io/loop_handle.h"

namespace waxwing {
namespace {

constexpr int kBacklog = 16;

}  // namespace

struct LocalRequestServer::State final : public LoopHandle {
  State(EventLoop& its_loop, Options its_options, Handle its_handle)
      : loop(its_loop), options(std::move(its_options)), handle(std::move(its_handle)) {}

  int listen(int descriptor, std::shared_ptr<State> its_self);
  void on_connection();
  void abandon() override;

  EventLoop& loop;
  const Options options;
  const Handle handle;
  uv_pipe_t listener{};
  std::set<std::shared_ptr<LocalRequestSession>> sessions;
  bool closed = false;
  std::shared_ptr<State> self;  // cleared when libuv has closed the listener
};

// libuv's result code.
int LocalRequestServer::State::listen(int descriptor, std::shared_ptr<State> its_self) {
  uv_pipe_init(loop.native(), &listener, 0);
  listener.data = static_cast<LoopHandle*>(this);
  self = std::move(its_self);
  if (const int opened = uv_pipe_open(&listener, descriptor); opened != 0) {
    ::close(descriptor);
    return opened;
  }
  return uv_listen(reinterpret_cast<uv_stream_t*>(&listener), kBacklog, [](uv_stream_t* stream, int status) {
    if (status == 0) static_cast<State*>(static_cast<LoopHandle*>(stream->data))->on_connection();
  });
}

void LocalRequestServer::State::on_connection() {
  const auto forget = [this](const std::shared_ptr<LocalRequestSession>& session) { sessions.erase(session); };
  const auto session = std::make_shared<LocalRequestSession>(loop, options, handle, forget);
  sessions.insert(session);
  session->accept(reinterpret_cast<uv_stream_t*>(&listener));
  if (sessions.size() > kMaxLocalConnections) session->close();
}

void LocalRequestServer::State::abandon() {
  if (std::exchange(closed, true)) return;
  while (!sessions.empty()) {
    const auto session = *sessions.begin();
    session->close();
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&listener), [](uv_handle_t* its_handle) {
    const auto last_owner = std::move(static_cast<State*>(static_cast<LoopHandle*>(its_handle->data))->self);
  });
}

Result<std::unique_ptr<LocalRequestServer>> LocalRequestServer::open(EventLoop& loop, Options options, Handle handle) {
  const std::string path = options.path;
  auto descriptor = bind_local_socket(path, options.also_heard ? 0666 : 0600);
  if (!descriptor) return tl::unexpected(std::move(descriptor.error()));
  auto state = std::make_shared<State>(loop, std::move(options), std::move(handle));
  const int listening = state->listen(*descriptor, state);
  std::unique_ptr<LocalRequestServer> server(new LocalRequestServer(state));
  if (listening != 0)
    return fail(ErrorKind::Unavailable,
                fmt::format("cannot listen on {}: {}", path, std::generic_category().message(-listening)));
  return server;
}

LocalRequestServer::LocalRequestServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

LocalRequestServer::~LocalRequestServer() {
  ::unlink(state_->options.path.c_str());
  state_->abandon();
}

}  // namespace waxwing
