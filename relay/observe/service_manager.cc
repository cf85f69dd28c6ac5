#include "relay/observe/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace waxwing {
namespace {

constexpr int kFirstInherited = 3;
constexpr int kMaxInherited = 64;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<int> number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::vector<InheritedSocket> take_inherited_sockets() {
  const std::optional<int> process = number(environment("LISTEN_PID"));
  const std::optional<int> count = number(environment("LISTEN_FDS"));
  std::string names = environment("LISTEN_FDNAMES");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  std::vector<InheritedSocket> sockets;
  if (process != ::getpid() || !count || *count < 1 || *count > kMaxInherited) return sockets;
  for (int i = 0; i < *count; ++i) {
    const std::size_t colon = names.find(':');
    const int descriptor = kFirstInherited + i;
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    sockets.push_back({names.substr(0, colon), descriptor});
    names.erase(0, colon == std::string::npos ? names.size() : colon + 1);
  }
  return sockets;
}

void notify_service_manager(std::string_view state) {
  const std::string path = environment("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // abstract name
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  // Whether anybody listens is the service manager's affair: a lost notice shows there as a start that times out.
  (void)::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 length);
  ::close(descriptor);
}

}  // namespace waxwing
