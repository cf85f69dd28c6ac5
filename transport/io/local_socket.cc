#include "transport/io/local_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace waxwing {
namespace {

constexpr int kBacklog = 1'024;

tl::unexpected<Error> cannot_listen(const std::string& path, int number) {
  const ErrorKind kind = number == EACCES || number == EPERM || number == EROFS ? ErrorKind::Denied
                         : number == ENOENT                                     ? ErrorKind::NotFound
                                                                                : ErrorKind::Unavailable;
  return fail(kind,
              fmt::format("cannot listen on {}: {}; its directory must exist and belong to the user of this process",
                          path, std::generic_category().message(number)));
}

// Whether somebody accepts connections there.
bool is_alive(const sockaddr_un& address) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return true;
  const bool refused = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
                       (errno == ECONNREFUSED || errno == ENOENT);
  ::close(descriptor);
  return !refused;
}

}  // namespace

Result<int> bind_local_socket(const std::string& path, mode_t mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::Malformed, fmt::format("{} is too long for a socket; choose a shorter directory", path));
  }
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    if (is_alive(address)) {
      return fail(ErrorKind::Conflict,
                  fmt::format("another process listens on {}; stop it, or choose another directory", path));
    }
    ::unlink(path.c_str());
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return cannot_listen(path, errno);
  // The mode keeps others from connecting; should they come in before it is set, their credentials keep them out.
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::chmod(path.c_str(), mode) == 0) {
    return descriptor;
  }
  const int number = errno;
  ::close(descriptor);
  return cannot_listen(path, number);
}

Result<int> listen_on_local_socket(const std::string& path, mode_t mode) {
  auto descriptor = bind_local_socket(path, mode);
  if (!descriptor || ::listen(*descriptor, kBacklog) == 0) return descriptor;
  const int number = errno;
  ::close(*descriptor);
  return cannot_listen(path, number);
}

}  // namespace waxwing
