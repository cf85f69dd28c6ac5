#include "relay/store/spool_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "relay/store/posix_error.h"

namespace waxwing {
namespace {

constexpr std::size_t kPieceOctets = 65'536;

std::string unsealed_path(const std::string& state_directory, QueueId id) {
  return spool_path(state_directory, id) + ".part";
}

}  // namespace

std::string spool_path(const std::string& state_directory, QueueId id) {
  return state_directory + "/spool/" + id.str();
}

Result<SpoolFile> SpoolFile::create(const std::string& state_directory, QueueId id) {
  const std::string path = unsealed_path(state_directory, id);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return posix_failure("create", path, errno);
  return SpoolFile(descriptor, id, state_directory);
}

SpoolFile::SpoolFile(int descriptor, QueueId id, std::string state_directory)
    : descriptor_(descriptor), id_(id), state_directory_(std::move(state_directory)) {}

SpoolFile::SpoolFile(SpoolFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      id_(other.id_),
      state_directory_(std::move(other.state_directory_)),
      octets_(other.octets_),
      sealed_(other.sealed_),
      kept_(std::exchange(other.kept_, true)) {}

SpoolFile& SpoolFile::operator=(SpoolFile&& other) noexcept {
  if (this == &other) return *this;
  discard();
  descriptor_ = std::exchange(other.descriptor_, -1);
  id_ = other.id_;
  state_directory_ = std::move(other.state_directory_);
  octets_ = other.octets_;
  sealed_ = other.sealed_;
  kept_ = std::exchange(other.kept_, true);
  return *this;
}

SpoolFile::~SpoolFile() {
  discard();
}

Result<void> SpoolFile::append(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor_, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return posix_failure("write to", unsealed_path(state_directory_, id_), errno);
    octets_ += static_cast<std::uint64_t>(written);
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> SpoolFile::seal() {
  const std::string from = unsealed_path(state_directory_, id_);
  const std::string to = spool_path(state_directory_, id_);
  // Only with its content on the disk may the file get the name under which it counts.
  if (::fsync(descriptor_) != 0) return posix_failure("sync", from, errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) return posix_failure("close", from, errno);
  if (std::rename(from.c_str(), to.c_str()) != 0) return posix_failure("rename", from, errno);
  sealed_ = true;
  return {};
}

void SpoolFile::keep() {
  kept_ = sealed_;
}

void SpoolFile::discard() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (kept_) return;
  ::unlink((sealed_ ? spool_path(state_directory_, id_) : unsealed_path(state_directory_, id_)).c_str());
  kept_ = true;
}

Result<SpoolReader> SpoolReader::open(const std::string& state_directory, QueueId id, std::uint64_t octets) {
  const std::string path = spool_path(state_directory, id);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return posix_failure("open", path, errno);
  SpoolReader reader(descriptor, octets);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return posix_failure("read", path, errno);
  if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != octets) {
    return fail(ErrorKind::Corrupt, fmt::format("{} does not have the {} octets that were written", path, octets));
  }
  return reader;
}

SpoolReader::SpoolReader(int descriptor, std::uint64_t octets) : descriptor_(descriptor), octets_(octets) {}

SpoolReader::SpoolReader(SpoolReader&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      octets_(other.octets_),
      position_(other.position_),
      buffer_(std::move(other.buffer_)) {}

SpoolReader& SpoolReader::operator=(SpoolReader&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  octets_ = other.octets_;
  position_ = other.position_;
  buffer_ = std::move(other.buffer_);
  return *this;
}

SpoolReader::~SpoolReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::string_view> SpoolReader::next() {
  buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPieceOctets, octets_ - position_)));
  if (buffer_.empty()) return std::string_view();
  ssize_t octets = 0;
  do {
    octets = ::pread(descriptor_, buffer_.data(), buffer_.size(), static_cast<off_t>(position_));
  } while (octets < 0 && errno == EINTR);
  if (octets < 0) return posix_failure("read", "a spool file", errno);
  if (octets == 0) return fail(ErrorKind::Corrupt, "a spool file ends before the octets that were written");
  position_ += static_cast<std::uint64_t>(octets);
  return std::string_view(buffer_).substr(0, static_cast<std::size_t>(octets));
}

}  // namespace waxwing
