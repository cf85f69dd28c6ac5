#include "transport/io/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "transport/io/connection_state.h"
#include "transport/io/loop_handle.h"
#include "transport/io/socket_error.h"

namespace waxwing {
namespace {

constexpr int kBacklog = 1'024;
// Leaves time for the connections that exist already.
constexpr int kMaxAcceptsPerTurn = 64;
constexpr Milliseconds kPauseWithoutDescriptors{250};

// Failures of one connection, not of the listener (accept(2)).
bool concerns_one_connection(int number) {
  switch (number) {
    case EINTR:
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

int switch_on(int descriptor, int level, int option) {
  const int on = 1;
  return setsockopt(descriptor, level, option, &on, sizeof on);
}

int bind_and_listen(int descriptor, const Endpoint& endpoint) {
  if (switch_on(descriptor, SOL_SOCKET, SO_REUSEADDR) != 0) return errno;
  if (switch_on(descriptor, SOL_SOCKET, SO_REUSEPORT) != 0) return errno;
  if (endpoint.address.family() == IpAddress::Family::V6 && switch_on(descriptor, IPPROTO_IPV6, IPV6_V6ONLY) != 0) {
    return errno;
  }
  const sockaddr_storage address = endpoint.to_socket_address();
  const socklen_t length = address.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), length) != 0) return errno;
  return listen(descriptor, kBacklog) == 0 ? 0 : errno;
}

// What stands for the address of a local socket: whoever connects is on this host.
Endpoint local_endpoint() {
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_storage address{};
  std::memcpy(&address, &loopback, sizeof loopback);
  return Endpoint::from_socket_address(address).value_or(Endpoint{});
}

// Who connected to a local socket; the kernel noted it at that time.
std::optional<std::uint32_t> peer_user(int descriptor) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return std::nullopt;
  return credentials.uid;
}

Result<Endpoint> own_endpoint(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) address.ss_family = AF_UNSPEC;
  if (address.ss_family == AF_UNIX) return local_endpoint();
  return Endpoint::from_socket_address(address);
}

bool is_listening_stream(int descriptor) {
  int type = 0;
  int listening = 0;
  socklen_t length = sizeof type;
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_STREAM) return false;
  length = sizeof listening;
  return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
}

bool make_nonblocking(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  return flags != -1 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
         fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

}  // namespace

// Accepts by itself, since uv_listen() answers a lack of descriptors by accepting and dropping whoever waits.
struct Listener::State final : public LoopHandle {
  State(EventLoop& its_loop, int its_descriptor, OnAccept its_on_accept)
      : loop(its_loop),
        descriptor(its_descriptor),
        on_accept(std::move(its_on_accept)),
        pause(its_loop, [this] { watch(); }) {}
  ~State() { ::close(descriptor); }

  void attach(std::shared_ptr<State> its_self);
  void watch();
  void accept_waiting();
  void hand_over(int accepted, const sockaddr_storage& address);
  void abandon() override;

  EventLoop& loop;
  const int descriptor;
  OnAccept on_accept;
  Timer pause;
  Endpoint endpoint;
  uv_poll_t handle{};
  std::shared_ptr<State> self;  ///< cleared when libuv has closed the handle
  bool closed = false;
};

void Listener::State::attach(std::shared_ptr<State> its_self) {
  uv_poll_init(loop.native(), &handle, descriptor);
  handle.data = static_cast<LoopHandle*>(this);
  self = std::move(its_self);
  watch();
}

void Listener::State::watch() {
  uv_poll_start(&handle, UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<State*>(static_cast<LoopHandle*>(poll->data))->accept_waiting();
  });
}

void Listener::State::accept_waiting() {
  for (int count = 0; count < kMaxAcceptsPerTurn && !closed; ++count) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int accepted =
        accept4(descriptor, reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      hand_over(accepted, address);
      continue;
    }
    const int number = errno;
    if (number == EAGAIN) return;
    if (concerns_one_connection(number)) continue;
    // No descriptor or no memory. The socket stays readable, so watching it would spin.
    uv_poll_stop(&handle);
    pause.start(kPauseWithoutDescriptors);
    return;
  }
}

void Listener::State::hand_over(int accepted, const sockaddr_storage& address) {
  const bool is_local = address.ss_family == AF_UNIX;
  const Result<Endpoint> peer = is_local ? Result<Endpoint>(endpoint) : Endpoint::from_socket_address(address);
  const std::optional<std::uint32_t> uid = is_local ? peer_user(accepted) : std::nullopt;
  if (!peer || (is_local && !uid)) {
    ::close(accepted);
    return;
  }
  auto state = std::make_shared<Connection::State>(loop, *peer);
  state->peer_uid = uid;
  if (!state->take_over(accepted)) return;
  on_accept(std::unique_ptr<Connection>(new Connection(std::move(state))));
}

void Listener::State::abandon() {
  if (std::exchange(closed, true)) return;
  pause.stop();
  uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* poll) {
    const std::shared_ptr<State> last = std::move(static_cast<State*>(static_cast<LoopHandle*>(poll->data))->self);
  });
}

Result<std::unique_ptr<Listener>> Listener::open(EventLoop& loop, const Endpoint& endpoint, OnAccept on_accept) {
  const sockaddr_storage address = endpoint.to_socket_address();
  const int descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return tl::unexpected(listen_error(errno, endpoint));
  if (const int number = bind_and_listen(descriptor, endpoint); number != 0) {
    ::close(descriptor);
    return tl::unexpected(listen_error(number, endpoint));
  }
  return adopt(loop, descriptor, std::move(on_accept));
}

Result<std::unique_ptr<Listener>> Listener::adopt(EventLoop& loop, int descriptor, OnAccept on_accept) {
  const Result<Endpoint> endpoint = own_endpoint(descriptor);
  if (!endpoint || !is_listening_stream(descriptor) || !make_nonblocking(descriptor)) {
    ::close(descriptor);
    return fail(ErrorKind::Malformed,
                fmt::format("descriptor {} is not a listening stream socket; look at the socket unit", descriptor));
  }
  auto state = std::make_shared<State>(loop, descriptor, std::move(on_accept));
  state->endpoint = *endpoint;
  state->attach(state);
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}

Listener::~Listener() {
  state_->abandon();
}

const Endpoint& Listener::endpoint() const {
  return state_->endpoint;
}

}  // namespace waxwing
