#include "keys/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "keys/private_folder.h"

namespace waxwing {
namespace {

constexpr mode_t kOthersAnything = S_IRWXO;

bool is_credential(const std::string& folder) {
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  return credentials != nullptr && folder == credentials;
}

}  // namespace

Result<Secret> read_credential(const std::string& path, std::size_t max_octets) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) {
    return fail(errno == ENOENT ? ErrorKind::NotFound : ErrorKind::Denied,
                fmt::format("cannot open the credential '{}': {}", path, std::system_category().message(errno)));
  }
  struct stat status {};
  Secret content = Secret::zeros(max_octets + 1);
  const bool looked = ::fstat(file, &status) == 0;
  ssize_t size = -1;
  do size = ::read(file, content.writable(), content.size());
  while (size < 0 && errno == EINTR);
  ::close(file);
  if (!looked || size < 0 || !S_ISREG(status.st_mode))
    return fail(ErrorKind::Unavailable, fmt::format("the credential '{}' cannot be read as a plain file", path));
  if ((status.st_mode & kOthersAnything) != 0) {
    return fail(ErrorKind::Denied, fmt::format("the credential '{}' has mode {:04o}, so that others can read it", path,
                                               status.st_mode & 07777U));
  }
  if (static_cast<std::size_t>(size) > max_octets)
    return fail(ErrorKind::Malformed, fmt::format("the credential '{}' is larger than {} octets", path, max_octets));
  return Secret(content.reveal().substr(0, static_cast<std::size_t>(size)));
}

Result<Secret> read_private_file(const std::string& path, uid_t owner, std::size_t max_octets) {
  const std::size_t slash = path.find_last_of('/');
  if (!path.starts_with('/') || slash + 1 == path.size())
    return fail(ErrorKind::Malformed, fmt::format("'{}' is no absolute path of a file", path));
  const std::string folder_path = slash == 0 ? "/" : path.substr(0, slash);
  if (is_credential(folder_path)) return read_credential(path, max_octets);
  auto folder = PrivateFolder::open(folder_path, owner);
  if (!folder) return tl::unexpected(folder.error());
  auto file = folder->read(path.substr(slash + 1), max_octets);
  if (!file) return tl::unexpected(file.error());
  return std::move(file->content);
}

}  // namespace waxwing
