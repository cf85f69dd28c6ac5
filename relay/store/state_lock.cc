#include "relay/store/state_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "policy/ascii.h"
#include "relay/store/posix_error.h"

namespace waxwing {
namespace {

// What the holder wrote into the file: its process id.
std::string holder_of(int descriptor) {
  std::array<char, 16> text{};
  const ssize_t octets = ::pread(descriptor, text.data(), text.size(), 0);
  const std::string_view pid(text.data(), octets > 0 ? static_cast<std::size_t>(octets) : 0);
  const auto digits = pid.substr(0, pid.find('\n'));
  if (digits.empty() || !std::ranges::all_of(digits, is_ascii_digit)) return "another process";
  return fmt::format("process {}", digits);
}

}  // namespace

Result<StateLock> StateLock::take(const std::string& state_directory) {
  if (auto made = ensure_directory(state_directory); !made) return tl::unexpected(std::move(made.error()));
  const std::string path = state_directory + "/lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return posix_failure("open", path, errno);
  StateLock lock(descriptor, state_directory);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return posix_failure("lock", path, errno);
    return fail(ErrorKind::Conflict,
                fmt::format("{} is in use by {}; stop that waxwingd first, or set another state_directory",
                            state_directory, holder_of(descriptor)));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  const bool written = ::ftruncate(descriptor, 0) == 0 &&
                       ::pwrite(descriptor, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  // The file only tells others whom to ask; on a full disk the lock is worth as much without it.
  if (!written && errno != ENOSPC && errno != EDQUOT) return posix_failure("write to", path, errno);
  return lock;
}

StateLock::StateLock(int descriptor, std::string state_directory)
    : descriptor_(descriptor), state_directory_(std::move(state_directory)) {}

StateLock::StateLock(StateLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), state_directory_(std::move(other.state_directory_)) {}

StateLock& StateLock::operator=(StateLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(state_directory_, other.state_directory_);
  return *this;
}

StateLock::~StateLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace waxwing
