#include "transport/io/udp_socket.h"

#include <fmt/format.h>
#include <uv.h>

#include <utility>

#include "transport/io/loop_handle.h"

namespace waxwing {

// As with timers: of owner and loop, who comes last frees it.
struct UdpSocket::State final : public LoopHandle {
  void abandon() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* its_handle) {
      auto* state = static_cast<State*>(static_cast<LoopHandle*>(its_handle->data));
      state->closed = true;
      if (!state->owned) delete state;
    });
  }

  void release() {
    owned = false;
    on_datagram = nullptr;
    on_error = nullptr;
    if (closed) {
      delete this;
    } else if (uv_is_closing(reinterpret_cast<const uv_handle_t*>(&handle)) == 0) {
      abandon();
    }
  }

  static State* of(void* data) { return static_cast<State*>(static_cast<LoopHandle*>(data)); }

  void receive(ssize_t count, const char* octets, const sockaddr* from) {
    if (!owned) return;
    // The callbacks may destroy the socket, and themselves with it.
    if (count < 0) {
      const auto report = on_error;
      report(Error{ErrorKind::Unavailable, uv_strerror(static_cast<int>(count))});
    } else if (from != nullptr) {
      const auto deliver = on_datagram;
      deliver(std::string_view(octets, static_cast<std::size_t>(count)));
    }
  }

  uv_udp_t handle{};
  EventLoop* loop = nullptr;
  std::function<void(std::string_view)> on_datagram;
  std::function<void(const Error&)> on_error;
  bool owned = true;
  bool closed = false;
};

Result<std::unique_ptr<UdpSocket>> UdpSocket::connect(EventLoop& loop, const Endpoint& peer,
                                                      std::function<void(std::string_view)> on_datagram,
                                                      std::function<void(const Error&)> on_error) {
  auto* state = new State;
  state->loop = &loop;
  state->on_datagram = std::move(on_datagram);
  state->on_error = std::move(on_error);
  uv_udp_init(loop.native(), &state->handle);
  state->handle.data = static_cast<LoopHandle*>(state);
  const sockaddr_storage address = peer.to_socket_address();
  int status = uv_udp_connect(&state->handle, reinterpret_cast<const sockaddr*>(&address));
  if (status == 0) {
    status = uv_udp_recv_start(
        &state->handle,
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
          const std::span<char> room = State::of(handle->data)->loop->read_buffer();
          *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
        },
        [](uv_udp_t* handle, ssize_t count, const uv_buf_t* buffer, const sockaddr* from, unsigned) {
          State::of(handle->data)->receive(count, buffer->base, from);
        });
  }
  if (status == 0) return std::unique_ptr<UdpSocket>(new UdpSocket(state));
  state->release();
  return fail(ErrorKind::Unavailable, fmt::format("cannot reach {} over UDP: {}", peer.str(), uv_strerror(status)));
}

UdpSocket::~UdpSocket() {
  state_->release();
}

void UdpSocket::send(std::string_view datagram) {
  uv_buf_t buffer = uv_buf_init(const_cast<char*>(datagram.data()), static_cast<unsigned>(datagram.size()));
  (void)uv_udp_try_send(&state_->handle, &buffer, 1, nullptr);
}

}  // namespace waxwing
