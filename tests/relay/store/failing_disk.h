#pragma once

#include <sqlite3.h>

#include <atomic>
#include <functional>

namespace waxwing {

/// Makes SQLite's disk fail as long as it lives: every database that is opened meanwhile goes through it. Several
/// threads may use it.
class FailingDisk {
 public:
  FailingDisk();
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  /// Result codes of SQLite that writing, syncing and opening give from now on; 0 (SQLITE_OK): they work.
  std::atomic<int> write_result{0};
  std::atomic<int> sync_result{0};
  std::atomic<int> open_result{0};
  /// Syncs that were asked for.
  std::atomic<int> syncs{0};
  /// Called before each write, sync, new size and removal; may be empty. For one thread.
  std::function<void()> before_change{};
};

namespace failing_disk {

inline FailingDisk* current_disk = nullptr;  // SQLite's interface has no other way to reach it
inline sqlite3_vfs failing_vfs;

// Our file, followed in memory by the file of the system below.
struct File {
  sqlite3_file base;
  sqlite3_io_methods methods;
};

inline sqlite3_file* below(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

inline sqlite3_vfs* system_vfs() {
  return static_cast<sqlite3_vfs*>(failing_vfs.pAppData);
}

inline void announce_change() {
  if (current_disk->before_change) current_disk->before_change();
}

inline int failing_write(sqlite3_file* file, const void* octets, int count, sqlite3_int64 offset) {
  announce_change();
  if (const int result = current_disk->write_result) return result;
  return below(file)->pMethods->xWrite(below(file), octets, count, offset);
}

inline int failing_sync(sqlite3_file* file, int flags) {
  announce_change();
  ++current_disk->syncs;
  if (const int result = current_disk->sync_result) return result;
  return below(file)->pMethods->xSync(below(file), flags);
}

inline int truncate(sqlite3_file* file, sqlite3_int64 size) {
  announce_change();
  return below(file)->pMethods->xTruncate(below(file), size);
}

// Forwards one method to the file below.
template <auto Method, class... Arguments>
auto forward(sqlite3_file* file, Arguments... arguments) {
  return (below(file)->pMethods->*Method)(below(file), arguments...);
}

inline sqlite3_io_methods forwarding_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 2;
  methods.xClose = forward<&sqlite3_io_methods::xClose>;
  methods.xRead = forward<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>;
  methods.xWrite = failing_write;
  methods.xTruncate = truncate;
  methods.xSync = failing_sync;
  methods.xFileSize = forward<&sqlite3_io_methods::xFileSize, sqlite3_int64*>;
  methods.xLock = forward<&sqlite3_io_methods::xLock, int>;
  methods.xUnlock = forward<&sqlite3_io_methods::xUnlock, int>;
  methods.xCheckReservedLock = forward<&sqlite3_io_methods::xCheckReservedLock, int*>;
  methods.xFileControl = forward<&sqlite3_io_methods::xFileControl, int, void*>;
  methods.xSectorSize = forward<&sqlite3_io_methods::xSectorSize>;
  methods.xDeviceCharacteristics = forward<&sqlite3_io_methods::xDeviceCharacteristics>;
  methods.xShmMap = forward<&sqlite3_io_methods::xShmMap, int, int, int, void volatile**>;
  methods.xShmLock = forward<&sqlite3_io_methods::xShmLock, int, int, int>;
  methods.xShmBarrier = forward<&sqlite3_io_methods::xShmBarrier>;
  methods.xShmUnmap = forward<&sqlite3_io_methods::xShmUnmap, int>;
  return methods;
}

inline int failing_open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  if (const int result = current_disk->open_result) return result;
  const int result = system_vfs()->xOpen(system_vfs(), name, below(file), flags, out_flags);
  if (below(file)->pMethods != nullptr) {
    auto* ours = reinterpret_cast<File*>(file);
    ours->methods = forwarding_methods();
    ours->base.pMethods = &ours->methods;
  }
  return result;
}

}  // namespace failing_disk

inline FailingDisk::FailingDisk() {
  sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  failing_disk::failing_vfs = *system;
  failing_disk::failing_vfs.pNext = nullptr;
  failing_disk::failing_vfs.zName = "failing";
  failing_disk::failing_vfs.pAppData = system;
  failing_disk::failing_vfs.szOsFile = static_cast<int>(sizeof(failing_disk::File)) + system->szOsFile;
  failing_disk::failing_vfs.xOpen = failing_disk::failing_open;
  // The others do not use their file system argument as ours, but as the system's own.
  failing_disk::failing_vfs.xDelete = [](sqlite3_vfs*, const char* name, int sync) {
    failing_disk::announce_change();
    return failing_disk::system_vfs()->xDelete(failing_disk::system_vfs(), name, sync);
  };
  failing_disk::failing_vfs.xAccess = [](sqlite3_vfs*, const char* name, int flags, int* out) {
    return failing_disk::system_vfs()->xAccess(failing_disk::system_vfs(), name, flags, out);
  };
  failing_disk::failing_vfs.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* out) {
    return failing_disk::system_vfs()->xFullPathname(failing_disk::system_vfs(), name, size, out);
  };
  failing_disk::current_disk = this;
  sqlite3_vfs_register(&failing_disk::failing_vfs, 1);
}

inline FailingDisk::~FailingDisk() {
  sqlite3_vfs_unregister(&failing_disk::failing_vfs);
  sqlite3_vfs_register(failing_disk::system_vfs(), 1);
}

}  // namespace waxwing
