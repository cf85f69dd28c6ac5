#include "transport/io/connection_state.h"

#include <netinet/in.h>
#include <unistd.h>

#include <utility>

#include "transport/io/socket_error.h"

namespace waxwing {
namespace {

Endpoint local_endpoint(const uv_tcp_t& handle) {
  sockaddr_storage address{};
  int length = sizeof address;
  if (uv_tcp_getsockname(&handle, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return Endpoint::from_socket_address(address).value_or(Endpoint{});
}

// Binds to an address and leaves the port to connect(), so that ports are shared between destinations.
int bind_source(uv_tcp_t& handle, const IpAddress& source) {
  int descriptor = -1;
  if (const int status = uv_fileno(reinterpret_cast<uv_handle_t*>(&handle), &descriptor); status != 0) return status;
  const int on = 1;
  setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);  // else only fewer ports are usable
  const sockaddr_storage address = Endpoint{.address = source, .port = 0}.to_socket_address();
  return uv_tcp_bind(&handle, reinterpret_cast<const sockaddr*>(&address), 0);
}

}  // namespace

void Connection::State::own_itself() {
  handle.data = static_cast<LoopHandle*>(this);
  self = shared_from_this();
}

void Connection::State::start_connecting(const std::optional<IpAddress>& source) {
  // Naming the family makes the socket now, so that it has options before it is bound. Without one, connecting tries
  // anew and reports the reason.
  const unsigned family = peer.address.family() == IpAddress::Family::V4 ? AF_INET : AF_INET6;
  if (uv_tcp_init_ex(loop.native(), &handle, family) != 0) uv_tcp_init(loop.native(), &handle);
  own_itself();
  uv_tcp_nodelay(&handle, 1);
  int status = source ? bind_source(handle, *source) : 0;
  if (status == 0) {
    const sockaddr_storage address = peer.to_socket_address();
    status = uv_tcp_connect(&connect_request, &handle, reinterpret_cast<const sockaddr*>(&address),
                            [](uv_connect_t* request, int result) { of(request->handle->data).on_connected(result); });
  }
  if (status != 0) end_stream(connect_error(status, peer, source));
}

void Connection::State::on_connected(int status) {
  if (phase != Phase::Connecting) return;
  if (status != 0) {
    end_stream(connect_error(status, peer, std::nullopt));
    return;
  }
  phase = Phase::Open;
  local = local_endpoint(handle);
  start_write();
  update_reading();
  const auto current = callbacks;
  if (current != nullptr && current->on_connected) current->on_connected();
}

bool Connection::State::take_over(int descriptor) {
  uv_tcp_init(loop.native(), &handle);
  own_itself();
  if (uv_tcp_open(&handle, descriptor) != 0) {
    ::close(descriptor);
    abandon();
    return false;
  }
  uv_tcp_nodelay(&handle, 1);
  phase = Phase::Open;
  local = peer_uid ? peer : local_endpoint(handle);
  return true;
}

void Connection::State::set_callbacks(Callbacks its_callbacks) {
  if (phase != Phase::Connecting && phase != Phase::Open) return;
  callbacks = std::make_shared<const Callbacks>(std::move(its_callbacks));
  update_reading();
  if (end || !inbox.empty()) defer(&State::deliver_pending);
}

void Connection::State::close(Milliseconds linger) {
  if (phase == Phase::Closed || phase == Phase::Lingering) return;
  const bool established = phase != Phase::Connecting;
  phase = Phase::Lingering;
  callbacks.reset();
  before_secured.clear();
  if (!established || write_broken) {
    abandon();
    return;
  }
  if (session != nullptr) {
    session->close();
    send(session->take_output());
  }
  if (linger <= Milliseconds::zero()) abandon();
  if (phase == Phase::Closed) return;
  linger_timer = std::make_unique<Timer>(loop, [this] { abandon(); });
  linger_timer->start(linger);
  update_reading();
  if (all_sent()) send_fin();
}

void Connection::State::abandon() {
  if (phase == Phase::Closed) return;
  phase = Phase::Closed;
  callbacks.reset();
  linger_timer.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&handle),
           [](uv_handle_t* closed) { const std::shared_ptr<State> last = std::move(of(closed->data).self); });
}

void Connection::State::defer(void (State::*step)()) {
  loop.post([kept = shared_from_this(), step] { ((*kept).*step)(); });
}

}  // namespace waxwing
