#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/result.h"
#include "policy/secret.h"
#include "policy/time_point.h"

namespace waxwing {

/// A file of a PrivateFolder with its time of last change.
struct PrivateFile {
  Secret content;
  WallTime changed;
};

/// An open folder that nobody but its owner (and root) may read or change. Every file and folder is checked as strictly
/// as OpenSSH checks private keys, on the open descriptor, so that nothing can be swapped between check and use.
class PrivateFolder {
 public:
  /// Opens a folder after checking it and all folders above it.
  /// @param path   absolute
  /// @param owner  the user, besides root, to whom files and folders may belong
  /// @errors  NotFound: there is no such folder; Denied: a symbolic link, another owner, or writable by group or others
  ///          (for the folders above: writable by them without the sticky bit); Unavailable: it cannot be opened
  [[nodiscard]] static Result<PrivateFolder> open(const std::string& path, uid_t owner);

  /// Makes the folder with mode 0700 unless it exists, then opens it as open() does.
  [[nodiscard]] static Result<PrivateFolder> open_or_make(const std::string& path, uid_t owner);

  PrivateFolder(PrivateFolder&& other) noexcept
      : path_(std::move(other.path_)), owner_(other.owner_), descriptor_(std::exchange(other.descriptor_, -1)) {}
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  ~PrivateFolder();

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Opens a folder inside this one; errors as open().
  [[nodiscard]] Result<PrivateFolder> open_inner(const std::string& name) const;

  /// Makes a folder inside this one with mode 0700 unless it exists, durably, and opens it.
  [[nodiscard]] Result<PrivateFolder> open_or_make_inner(const std::string& name) const;

  /// Names of the entries, sorted, without those that begin with a dot.
  /// @errors  Unavailable; Exhausted: more than kMaxEntries
  [[nodiscard]] Result<std::vector<std::string>> entries() const;

  /// Reads a file with mode 0600 or stricter.
  /// @errors  NotFound; Denied: permissions, owner, a symbolic link, not a plain file; Malformed: larger than
  /// `max_octets`; Unavailable
  [[nodiscard]] Result<PrivateFile> read(const std::string& name, std::size_t max_octets) const;

  /// Writes a new file with mode 0600, durably; it appears complete or not at all.
  /// @param changed  becomes the file's time of last change
  /// @errors  Conflict: the name is taken; Exhausted: the disk is full; Unavailable
  [[nodiscard]] Result<void> add(const std::string& name, std::string_view content, WallTime changed) const;

  /// Writes a file with mode 0600, durably, in place of the one of that name, which is complete until the new one is.
  /// @param changed  becomes the file's time of last change
  /// @errors  Exhausted: the disk is full; Unavailable
  [[nodiscard]] Result<void> replace(const std::string& name, std::string_view content, WallTime changed) const;

  /// Writes behind the last line end of a file, durably, dropping what stands behind that: part of a line that a crash
  /// cut short. Makes the file with mode 0600 if there is none.
  /// @errors  Denied: the file as read(); Exhausted: the disk is full; Unavailable
  [[nodiscard]] Result<void> append_lines(const std::string& name, std::string_view lines) const;

  /// Overwrites a file with zeros and removes it, durably; one that is not there is removed already. On copy-on-write
  /// file systems and flash memory the old octets may survive.
  /// @errors  Denied: the file as read(); Unavailable
  [[nodiscard]] Result<void> destroy(const std::string& name) const;

  /// Waits until no other object has the lock, and keeps it as long as this one lives.
  /// @errors  Unavailable
  [[nodiscard]] Result<void> lock() const;

  /// Makes now the folder's time of last change, for those who watch it. Whoever cannot only delays them.
  void touch() const;

  static constexpr std::size_t kMaxEntries = 200'000;

 private:
  PrivateFolder(std::string path, uid_t owner, int descriptor)
      : path_(std::move(path)), owner_(owner), descriptor_(descriptor) {}
  [[nodiscard]] static Result<PrivateFolder> open_at(int parent, const std::string& name, std::string path,
                                                     uid_t owner);
  [[nodiscard]] static Result<PrivateFolder> make_at(int parent, const std::string& name, std::string path,
                                                     uid_t owner);
  [[nodiscard]] Result<void> write_new(const std::string& name, std::string_view content, WallTime changed) const;

  std::string path_;
  uid_t owner_;
  int descriptor_;
};

}  // namespace waxwing
