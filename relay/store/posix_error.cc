#include "relay/store/posix_error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace waxwing {
namespace {

ErrorKind kind_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      return ErrorKind::Exhausted;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
      return ErrorKind::Denied;
    case ENOENT:
      return ErrorKind::NotFound;
    default:
      return ErrorKind::Unavailable;
  }
}

}  // namespace

tl::unexpected<Error> posix_failure(std::string_view doing, std::string_view path, int error_number) {
  return fail(kind_of(error_number),
              fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(error_number)));
}

Result<void> sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return posix_failure("open", path, errno);
  const int synced = ::fsync(descriptor);
  const int error_number = errno;
  ::close(descriptor);
  if (synced != 0) return posix_failure("sync", path, error_number);
  return {};
}

Result<void> ensure_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return posix_failure("make directory", path, errno);
  return {};
}

}  // namespace waxwing
