#pragma once

#include <atomic>
#include <cstdint>

namespace waxwing {

/// Counts the commits that may have changed what operators set (accounts, limits, holds, suppression lists), so that whoever
/// remembers some of it knows when to read it anew. Thread-safe.
class SettingsVersion {
 public:
  /// To be asked before the database is: what was read then is out of date as soon as this says something else.
  [[nodiscard]] std::uint64_t get() const { return commits_; }

  /// After the commit, and before anybody hears of it.
  void advance() { ++commits_; }

 private:
  std::atomic<std::uint64_t> commits_ = 0;
};

}  // namespace waxwing
