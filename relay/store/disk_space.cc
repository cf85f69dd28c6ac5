#include "relay/store/disk_space.h"

#include <sys/statvfs.h>

#include <cerrno>

#include "relay/store/posix_error.h"

namespace waxwing {

Result<std::uint64_t> free_octets(const std::string& directory) {
  struct statvfs space {};
  if (::statvfs(directory.c_str(), &space) != 0) return posix_failure("ask for the free space of", directory, errno);
  const bool counts_inodes = space.f_files != 0;
  if (counts_inodes && space.f_favail == 0) return 0;
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

}  // namespace waxwing
