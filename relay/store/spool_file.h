#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// A body that is being written to `<state>/spool/` while it arrives. Until seal() it has a temporary name; whoever
/// drops it before the message was added leaves nothing behind.
class SpoolFile {
 public:
  /// @errors  Exhausted: disk, inodes or descriptors; Denied; Unavailable
  [[nodiscard]] static Result<SpoolFile> create(const std::string& state_directory, QueueId id);

  SpoolFile(SpoolFile&& other) noexcept;
  SpoolFile& operator=(SpoolFile&& other) noexcept;
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  ~SpoolFile();  ///< removes the file unless keep() was called

  /// Writes octets at the end; they need not be on the disk when it returns.
  /// @errors  Exhausted, Unavailable; the file is of no use then
  [[nodiscard]] Result<void> append(std::string_view octets);

  [[nodiscard]] std::uint64_t octets() const { return octets_; }
  [[nodiscard]] QueueId id() const { return id_; }

  /// Brings the content to the disk and gives the file its final name. The name itself is durable after the next
  /// QueueStore::commit(). Called by the store thread, since it blocks.
  [[nodiscard]] Result<void> seal();

  /// Leaves a sealed file where it is from now on. Called when its message is in the store, or may be.
  void keep();

 private:
  SpoolFile(int descriptor, QueueId id, std::string state_directory);
  void discard();

  int descriptor_ = -1;
  QueueId id_;
  std::string state_directory_;
  std::uint64_t octets_ = 0;
  bool sealed_ = false;
  bool kept_ = false;
};

/// Reads a sealed body piece by piece.
class SpoolReader {
 public:
  /// @param octets  size that the store knows
  /// @errors  NotFound; Corrupt: the size differs; Exhausted: descriptors; Unavailable
  [[nodiscard]] static Result<SpoolReader> open(const std::string& state_directory, QueueId id, std::uint64_t octets);

  SpoolReader(SpoolReader&& other) noexcept;
  SpoolReader& operator=(SpoolReader&& other) noexcept;
  SpoolReader(const SpoolReader&) = delete;
  SpoolReader& operator=(const SpoolReader&) = delete;
  ~SpoolReader();

  /// Next piece of at most 64 KiB, valid until the next call; empty at the end.
  /// @errors  Corrupt: the file ends early; Unavailable
  [[nodiscard]] Result<std::string_view> next();

  /// Begins anew.
  void rewind() { position_ = 0; }

 private:
  SpoolReader(int descriptor, std::uint64_t octets);

  int descriptor_ = -1;
  std::uint64_t octets_ = 0;
  std::uint64_t position_ = 0;
  std::string buffer_;
};

/// `<state>/spool/<id>` — where the sealed body of a message is.
[[nodiscard]] std::string spool_path(const std::string& state_directory, QueueId id);

}  // namespace waxwing
