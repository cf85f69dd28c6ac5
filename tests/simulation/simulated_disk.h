#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace waxwing {

/// The disk under SQLite: files of the system below (a folder in memory will do), of which it knows what would survive
/// the power going. Databases that are opened while it lives are on it; there may be one at a time.
///
/// What was written since the last sync may be on the disk or not, each write for itself, and a write may be torn at a
/// sector. After a sync that failed, what it was to bring to the disk is never tried again, as Linux has it: it may be
/// there, but can still be read until the power goes.
class SimulatedDisk {
 public:
  /// @param chance  a number below its argument, for everything that is left to chance
  explicit SimulatedDisk(std::function<std::uint64_t(std::uint64_t)> chance);
  ~SimulatedDisk();
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  /// How many of a hundred writes and syncs fail from now on.
  unsigned failing_percent = 0;
  /// Keeps nothing of what was written when a sync says that it did: for a disk that lies, which must be found out.
  bool ignores_sync = false;

  /// Called before each write and sync; may be empty.
  std::function<void()> before_operation{};

  /// Lets the power go after so many more writes and syncs.
  void cut_power_after(std::uint64_t operations) { operations_left_ = operations; }
  /// Takes that back.
  void keep_power() { operations_left_.reset(); }
  /// Lets it go now: nothing is written and synced any more.
  void cut_power() { power_ = false; }
  [[nodiscard]] bool has_power() const { return power_; }

  /// What would be on the disk if the power went now: the content of each file, by its path.
  [[nodiscard]] std::map<std::string, std::string> after_a_cut();

  /// Power again, when all databases have been closed: the files hold what was on the disk.
  void restore_power();

 private:
  friend struct SimulatedFile;
  struct Write {
    std::uint64_t offset = 0;
    std::string octets;
    std::optional<std::uint64_t> truncated_to{};  // instead
  };
  struct Platter {
    std::string content;  // that survives
    std::vector<Write> unsynced;
  };

  // Each gives a result code of SQLite; 0 to go on with the file below.
  int on_write(const std::string& path, Write write);
  int on_sync(const std::string& path);
  [[nodiscard]] int on_operation();
  void settle(Platter& platter);
  static void apply(std::string& content, const Write& write);

  std::function<std::uint64_t(std::uint64_t)> chance_;
  std::map<std::string, Platter> platters_;
  std::optional<std::uint64_t> operations_left_;
  bool power_ = true;
};

}  // namespace waxwing
