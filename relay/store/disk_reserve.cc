#include "relay/store/disk_reserve.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "relay/store/disk_space.h"

namespace waxwing {
namespace {

// Below this the space is of more use to the queue than in reserve.
constexpr std::uint64_t kFreeFactor = 3;

std::string reserve_path(const std::string& state_directory) {
  return state_directory + "/reserve";
}

}  // namespace

void DiskReserve::ensure() {
  if (held_) return;
  const auto free = free_octets(state_directory_);
  if (!free || *free < kFreeFactor * kDiskReserveOctets) return;
  const std::string path = reserve_path(state_directory_);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  held_ = ::posix_fallocate(descriptor, 0, static_cast<off_t>(kDiskReserveOctets)) == 0;
  ::close(descriptor);
  if (!held_) release();
}

void DiskReserve::release() {
  give_up(state_directory_);
  held_ = false;
}

void DiskReserve::give_up(const std::string& state_directory) {
  ::unlink(reserve_path(state_directory).c_str());
}

}  // namespace waxwing
