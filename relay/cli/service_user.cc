#include "relay/cli/service_user.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace waxwing {

Result<void> become_owner_of(const std::string& state_directory) {
  struct stat status {};
  if (::stat(state_directory.c_str(), &status) != 0) {
    if (errno == EACCES) {
      return fail(ErrorKind::Denied,
                  fmt::format("you may not look into the state directory {}; run this as root or as its owner",
                              state_directory));
    }
    return fail(ErrorKind::NotFound,
                fmt::format("there is no state directory {}; make it for the user of the service, for instance with "
                            "\"install -d -m 0700 -o waxwing -g waxwing {}\"",
                            state_directory, state_directory));
  }
  if (::geteuid() != 0 || status.st_uid == 0) return {};
  const bool changed = ::setgroups(0, nullptr) == 0 && ::setresgid(status.st_gid, status.st_gid, status.st_gid) == 0 &&
                       ::setresuid(status.st_uid, status.st_uid, status.st_uid) == 0;
  if (changed) return {};
  return fail(ErrorKind::Denied, fmt::format("cannot become the owner of {}: {}; run this as user {}", state_directory,
                                             std::generic_category().message(errno), status.st_uid));
}

}  // namespace waxwing
