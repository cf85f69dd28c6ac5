#include "keys/private_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace waxwing {
namespace {

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
constexpr mode_t kOthersAnything = S_IRWXG | S_IRWXO;
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

ErrorKind kind_of(int error) {
  switch (error) {
    case ENOENT:
      return ErrorKind::NotFound;
    case EEXIST:
      return ErrorKind::Conflict;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::Denied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return ErrorKind::Exhausted;
    default:
      return ErrorKind::Unavailable;
  }
}

tl::unexpected<Error> fail_with_errno(std::string_view action, const std::string& path, int error) {
  std::string remedy;
  if (error == EACCES || error == EPERM) {
    remedy = fmt::format("; run as the user who owns it, or let that user be uid {} ('chown {} {}')", ::geteuid(),
                         ::geteuid(), path);
  }
  return fail(kind_of(error),
              fmt::format("cannot {} '{}': {}{}", action, path, std::system_category().message(error), remedy));
}

Result<void> check_owner(const struct stat& status, const std::string& path, uid_t owner) {
  if (status.st_uid == 0 || status.st_uid == owner) return {};
  return fail(ErrorKind::Denied,
              fmt::format("'{}' belongs to uid {}, but only root or uid {} may own it; 'chown {} {}' after making sure "
                          "that the content is yours",
                          path, status.st_uid, owner, owner, path));
}

Result<void> check_folder(const struct stat& status, const std::string& path, uid_t owner) {
  if (auto owned = check_owner(status, path, owner); !owned) return owned;
  if ((status.st_mode & kOthersWrite) == 0) return {};
  return fail(ErrorKind::Denied,
              fmt::format("the folder '{}' has mode {:04o}, so that others than its owner could replace keys in it; "
                          "'chmod 700 {}'",
                          path, status.st_mode & 07777U, path));
}

Result<void> check_file(const struct stat& status, const std::string& path, uid_t owner) {
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::Denied, fmt::format("'{}' is not a plain file; remove it", path));
  if (auto owned = check_owner(status, path, owner); !owned) return owned;
  if ((status.st_mode & kOthersAnything) == 0) return {};
  return fail(ErrorKind::Denied,
              fmt::format("the key file '{}' has mode {:04o}, so that others than its owner can use the key; "
                          "'chmod 600 {}', and replace the key if anybody may have read it",
                          path, status.st_mode & 07777U, path));
}

/// A folder above the store need not be private; nobody else may be able to put another folder in our place. The sticky
/// bit (as on /tmp) prevents that too.
Result<void> check_ancestor(const std::string& path, uid_t owner) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return fail_with_errno("look at", path, errno);
  if (auto owned = check_owner(status, path, owner); !owned) return owned;
  if ((status.st_mode & kOthersWrite) == 0 || (status.st_mode & S_ISVTX) != 0) return {};
  return fail(ErrorKind::Denied,
              fmt::format("the folder '{}' above the keys has mode {:04o}, so that others than its owner could replace "
                          "all keys; 'chmod go-w {}'",
                          path, status.st_mode & 07777U, path));
}

Result<void> check_ancestors(const std::string& path, uid_t owner) {
  const std::size_t slash = path.find_last_of('/');
  if (!path.starts_with('/') || slash + 1 == path.size()) {
    return fail(ErrorKind::Malformed,
                fmt::format("the folder of the keys must be an absolute path without final slash, not '{}'", path));
  }
  const std::string parent = path.substr(0, std::max<std::size_t>(slash, 1));
  // The system follows symbolic links above the folder; what counts is who may change the real folders on the way.
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(parent.c_str(), nullptr), &std::free);
  if (!resolved) return fail_with_errno("find", parent, errno);
  const std::string real = resolved.get();
  for (std::size_t end = real.find('/', 1); end != std::string::npos; end = real.find('/', end + 1)) {
    if (auto safe = check_ancestor(real.substr(0, end), owner); !safe) return safe;
  }
  if (auto safe = check_ancestor("/", owner); !safe || real == "/") return safe;
  return check_ancestor(real, owner);
}

/// What root makes for a service must be readable by that service.
Result<void> hand_over(int descriptor, const std::string& path, uid_t owner) {
  if (::geteuid() != 0 || owner == 0) return {};
  if (::fchown(descriptor, owner, static_cast<gid_t>(-1)) == 0) return {};
  return fail_with_errno("hand over to its user", path, errno);
}

Result<void> write_all(int descriptor, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(descriptor, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_with_errno("write", path, errno);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<Secret> read_all(int descriptor, std::size_t size, const std::string& path) {
  Secret content = Secret::zeros(size);
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = ::read(descriptor, content.writable() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_with_errno("read", path, errno);
    if (count == 0) return fail(ErrorKind::Unavailable, fmt::format("'{}' became shorter while it was read", path));
    done += static_cast<std::size_t>(count);
  }
  return content;
}

timespec to_timespec(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  timespec result{};
  result.tv_sec = seconds.time_since_epoch().count();
  result.tv_nsec = std::chrono::nanoseconds(time - seconds).count();
  return result;
}

WallTime to_wall_time(const timespec& time) {
  return WallTime(std::chrono::duration_cast<Milliseconds>(std::chrono::seconds(time.tv_sec) +
                                                           std::chrono::nanoseconds(time.tv_nsec)));
}

std::string random_suffix() {
  std::array<unsigned char, 4> octets;
  RAND_bytes(octets.data(), octets.size());
  return fmt::format("{:02x}{:02x}{:02x}{:02x}", octets[0], octets[1], octets[2], octets[3]);
}

}  // namespace

Result<PrivateFolder> PrivateFolder::open_at(int parent, const std::string& name, std::string path, uid_t owner) {
  Descriptor folder(::openat(parent, name.c_str(), kFolderFlags));
  if (folder.get() < 0 && (errno == ENOTDIR || errno == ELOOP)) {
    return fail(
        ErrorKind::Denied,
        fmt::format(
            "'{}' is a symbolic link or a file where a folder belongs; remove it, or put the folder itself there",
            path));
  }
  if (folder.get() < 0) return fail_with_errno("open the folder", path, errno);
  struct stat status;
  if (::fstat(folder.get(), &status) != 0) return fail_with_errno("look at", path, errno);
  if (auto safe = check_folder(status, path, owner); !safe) return tl::unexpected(safe.error());
  return PrivateFolder(std::move(path), owner, folder.release());
}

Result<PrivateFolder> PrivateFolder::open(const std::string& path, uid_t owner) {
  if (auto safe = check_ancestors(path, owner); !safe) return tl::unexpected(safe.error());
  return open_at(AT_FDCWD, path, path, owner);
}

Result<PrivateFolder> PrivateFolder::open_or_make(const std::string& path, uid_t owner) {
  if (auto safe = check_ancestors(path, owner); !safe) return tl::unexpected(safe.error());
  const std::size_t slash = path.find_last_of('/');
  const std::string parent_path = path.substr(0, std::max<std::size_t>(slash, 1));
  const Descriptor parent(::open(parent_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0) return fail_with_errno("open the folder", parent_path, errno);
  return make_at(parent.get(), path.substr(slash + 1), path, owner);
}

Result<PrivateFolder> PrivateFolder::make_at(int parent, const std::string& name, std::string path, uid_t owner) {
  const bool made = ::mkdirat(parent, name.c_str(), S_IRWXU) == 0;
  if (!made && errno != EEXIST) return fail_with_errno("make the folder", path, errno);
  auto folder = open_at(parent, name, std::move(path), owner);
  if (!folder || !made) return folder;
  if (auto given = hand_over(folder->descriptor_, folder->path_, owner); !given) return tl::unexpected(given.error());
  if (::fsync(parent) != 0) return fail_with_errno("write to disk the folder above", folder->path_, errno);
  return folder;
}

PrivateFolder::~PrivateFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<PrivateFolder> PrivateFolder::open_inner(const std::string& name) const {
  return open_at(descriptor_, name, path_ + "/" + name, owner_);
}

Result<PrivateFolder> PrivateFolder::open_or_make_inner(const std::string& name) const {
  return make_at(descriptor_, name, path_ + "/" + name, owner_);
}

void PrivateFolder::touch() const {
  (void)::futimens(descriptor_, nullptr);
}

Result<std::vector<std::string>> PrivateFolder::entries() const {
  const int own = ::openat(descriptor_, ".", kFolderFlags);
  if (own < 0) return fail_with_errno("list the folder", path_, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own), &::closedir);
  if (!stream) {
    ::close(own);
    return fail_with_errno("list the folder", path_, ENOMEM);
  }
  std::vector<std::string> names;
  errno = 0;
  for (const dirent* entry = ::readdir(stream.get()); entry != nullptr; entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.')) continue;
    if (names.size() == kMaxEntries) {
      return fail(ErrorKind::Exhausted, fmt::format("the folder '{}' has more than {} entries", path_, kMaxEntries));
    }
    names.emplace_back(name);
  }
  if (errno != 0) return fail_with_errno("list the folder", path_, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<PrivateFile> PrivateFolder::read(const std::string& name, std::size_t max_octets) const {
  const std::string path = path_ + "/" + name;
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const Descriptor file(::openat(descriptor_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0 && errno == ELOOP) {
    return fail(ErrorKind::Denied,
                fmt::format("'{}' is a symbolic link; put the file itself there ('cp --remove-destination')", path));
  }
  if (file.get() < 0) return fail_with_errno("open", path, errno);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return fail_with_errno("look at", path, errno);
  if (auto safe = check_file(status, path, owner_); !safe) return tl::unexpected(safe.error());
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_octets)
    return fail(ErrorKind::Malformed, fmt::format("'{}' is larger than {} octets, so it is no key", path, max_octets));
  auto content = read_all(file.get(), size, path);
  if (!content) return tl::unexpected(content.error());
  return PrivateFile{std::move(*content), to_wall_time(status.st_mtim)};
}

Result<void> PrivateFolder::write_new(const std::string& name, std::string_view content, WallTime changed) const {
  const std::string path = path_ + "/" + name;
  const Descriptor file(
      ::openat(descriptor_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return fail_with_errno("make", path, errno);
  if (auto written = write_all(file.get(), content, path); !written) return written;
  const std::array<timespec, 2> times{to_timespec(changed), to_timespec(changed)};
  if (::futimens(file.get(), times.data()) != 0) return fail_with_errno("set the time of", path, errno);
  if (auto given = hand_over(file.get(), path, owner_); !given) return given;
  if (::fsync(file.get()) != 0) return fail_with_errno("write to disk", path, errno);
  return {};
}

Result<void> PrivateFolder::add(const std::string& name, std::string_view content, WallTime changed) const {
  const std::string path = path_ + "/" + name;
  const std::string partial = fmt::format(".{}.{}", name, random_suffix());
  auto added = write_new(partial, content, changed);
  // A link instead of a rename: it fails when the name is taken, on every file system, also against a second process.
  if (added && ::linkat(descriptor_, partial.c_str(), descriptor_, name.c_str(), 0) != 0) {
    added = errno == EEXIST ? Result<void>(fail(ErrorKind::Conflict, fmt::format("'{}' exists already", path)))
                            : Result<void>(fail_with_errno("name", path, errno));
  }
  ::unlinkat(descriptor_, partial.c_str(), 0);
  if (!added) return added;
  if (::fsync(descriptor_) != 0) return fail_with_errno("write to disk the folder", path_, errno);
  return {};
}

Result<void> PrivateFolder::replace(const std::string& name, std::string_view content, WallTime changed) const {
  const std::string partial = fmt::format(".{}.{}", name, random_suffix());
  auto replaced = write_new(partial, content, changed);
  if (replaced && ::renameat(descriptor_, partial.c_str(), descriptor_, name.c_str()) != 0)
    replaced = fail_with_errno("replace", path_ + "/" + name, errno);
  if (!replaced) {
    ::unlinkat(descriptor_, partial.c_str(), 0);
    return replaced;
  }
  if (::fsync(descriptor_) != 0) return fail_with_errno("write to disk the folder", path_, errno);
  return {};
}

Result<void> PrivateFolder::append_lines(const std::string& name, std::string_view lines) const {
  const std::string path = path_ + "/" + name;
  const Descriptor file(
      ::openat(descriptor_, name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return fail_with_errno("open", path, errno);
  if (auto given = hand_over(file.get(), path, owner_); !given) return given;
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return fail_with_errno("look at", path, errno);
  if (auto safe = check_file(status, path, owner_); !safe) return safe;
  off_t end = status.st_size;
  for (char last = 0; end > 0; --end) {
    if (::pread(file.get(), &last, 1, end - 1) != 1) return fail_with_errno("read", path, errno);
    if (last == '\n') break;
  }
  if (end != status.st_size && ::ftruncate(file.get(), end) != 0) return fail_with_errno("shorten", path, errno);
  if (::lseek(file.get(), end, SEEK_SET) != end) return fail_with_errno("write", path, errno);
  if (auto written = write_all(file.get(), lines, path); !written) return written;
  if (::fsync(file.get()) != 0) return fail_with_errno("write to disk", path, errno);
  if (status.st_size == 0 && ::fsync(descriptor_) != 0)
    return fail_with_errno("write to disk the folder", path_, errno);
  return {};
}

Result<void> PrivateFolder::destroy(const std::string& name) const {
  const std::string path = path_ + "/" + name;
  const Descriptor file(::openat(descriptor_, name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0 && errno == ENOENT) return {};
  if (file.get() < 0) return fail_with_errno("open", path, errno);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return fail_with_errno("look at", path, errno);
  if (auto safe = check_file(status, path, owner_); !safe) return safe;
  const std::string zeros(static_cast<std::size_t>(status.st_size), '\0');
  if (auto written = write_all(file.get(), zeros, path); !written) return written;
  if (::fsync(file.get()) != 0) return fail_with_errno("write to disk", path, errno);
  if (::unlinkat(descriptor_, name.c_str(), 0) != 0) return fail_with_errno("remove", path, errno);
  if (::fsync(descriptor_) != 0) return fail_with_errno("write to disk the folder", path_, errno);
  return {};
}

Result<void> PrivateFolder::lock() const {
  while (::flock(descriptor_, LOCK_EX) != 0) {
    if (errno != EINTR) return fail_with_errno("lock", path_, errno);
  }
  return {};
}

}  // namespace waxwing
