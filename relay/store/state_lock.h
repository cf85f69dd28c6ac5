#pragma once

#include <string>

#include "policy/result.h"

namespace waxwing {

/// The right to write to a state directory: an exclusive lock on `<state>/lock`, held until the object is gone or the
/// process ends.
class StateLock {
 public:
  /// Takes the lock; makes the directory (0700) when it is not there.
  /// @errors  Conflict: another process has it, which the detail names; Denied; NotFound: the parent directory is
  /// missing
  [[nodiscard]] static Result<StateLock> take(const std::string& state_directory);

  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&& other) noexcept;
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;
  ~StateLock();

  [[nodiscard]] const std::string& state_directory() const { return state_directory_; }

 private:
  StateLock(int descriptor, std::string state_directory);
  int descriptor_ = -1;
  std::string state_directory_;
};

}  // namespace waxwing
