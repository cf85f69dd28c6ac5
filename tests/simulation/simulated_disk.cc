#include "tests/simulation/simulated_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <utility>

namespace waxwing {
namespace {

constexpr std::size_t kSectorOctets = 512;

SimulatedDisk* the_disk = nullptr;  // SQLite's interface has no other way to reach it
sqlite3_vfs the_vfs;

sqlite3_vfs* system_vfs() {
  return static_cast<sqlite3_vfs*>(the_vfs.pAppData);
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

// Our file, followed in memory by the file of the system below.
struct SimulatedFile {
  sqlite3_file base;
  sqlite3_io_methods methods;
  std::string* path;

  static SimulatedFile* of(sqlite3_file* file) { return reinterpret_cast<SimulatedFile*>(file); }
  static sqlite3_file* below(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(of(file) + 1); }

  // Forwards one method to the file below.
  template <auto Method, class... Arguments>
  static auto forward(sqlite3_file* file, Arguments... arguments) {
    return (below(file)->pMethods->*Method)(below(file), arguments...);
  }

  static int write(sqlite3_file* file, const void* octets, int count, sqlite3_int64 offset) {
    const auto size = static_cast<std::size_t>(count);
    const int result = the_disk->on_write(
        *of(file)->path,
        {static_cast<std::uint64_t>(offset), std::string(static_cast<const char*>(octets), size), std::nullopt});
    return result != SQLITE_OK ? result : below(file)->pMethods->xWrite(below(file), octets, count, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    const int result = the_disk->on_write(*of(file)->path, {0, {}, static_cast<std::uint64_t>(size)});
    return result != SQLITE_OK ? result : below(file)->pMethods->xTruncate(below(file), size);
  }
  static int sync(sqlite3_file* file, int /*flags*/) { return the_disk->on_sync(*of(file)->path); }
  static int close(sqlite3_file* file) {
    delete std::exchange(of(file)->path, nullptr);
    return below(file)->pMethods->xClose(below(file));
  }

  static int open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    file->pMethods = nullptr;
    const int result = system_vfs()->xOpen(system_vfs(), name, below(file), flags, out_flags);
    if (below(file)->pMethods == nullptr) return result;
    const std::string path = name == nullptr ? std::string() : name;
    // What is there before anything was written through us is on the disk.
    if (!the_disk->platters_.contains(path)) the_disk->platters_[path].content = content_of(path);
    of(file)->path = new std::string(path);
    of(file)->methods = methods_of_disk();
    of(file)->base.pMethods = &of(file)->methods;
    return result;
  }

  // Names are safe at once: what is at stake here is content.
  static int remove(sqlite3_vfs* /*vfs*/, const char* name, int sync_directory) {
    if (!the_disk->has_power()) return SQLITE_IOERR_DELETE;
    the_disk->platters_.erase(name);
    return system_vfs()->xDelete(system_vfs(), name, sync_directory);
  }

  static sqlite3_io_methods methods_of_disk() {
    sqlite3_io_methods methods{};
    methods.iVersion = 2;
    methods.xClose = close;
    methods.xRead = forward<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>;
    methods.xWrite = write;
    methods.xTruncate = truncate;
    methods.xSync = sync;
    methods.xFileSize = forward<&sqlite3_io_methods::xFileSize, sqlite3_int64*>;
    methods.xLock = forward<&sqlite3_io_methods::xLock, int>;
    methods.xUnlock = forward<&sqlite3_io_methods::xUnlock, int>;
    methods.xCheckReservedLock = forward<&sqlite3_io_methods::xCheckReservedLock, int*>;
    methods.xFileControl = forward<&sqlite3_io_methods::xFileControl, int, void*>;
    methods.xSectorSize = [](sqlite3_file*) { return static_cast<int>(kSectorOctets); };
    methods.xDeviceCharacteristics = [](sqlite3_file*) { return 0; };  // it promises nothing
    methods.xShmMap = forward<&sqlite3_io_methods::xShmMap, int, int, int, void volatile**>;
    methods.xShmLock = forward<&sqlite3_io_methods::xShmLock, int, int, int>;
    methods.xShmBarrier = forward<&sqlite3_io_methods::xShmBarrier>;
    methods.xShmUnmap = forward<&sqlite3_io_methods::xShmUnmap, int>;
    return methods;
  }
};

SimulatedDisk::SimulatedDisk(std::function<std::uint64_t(std::uint64_t)> chance) : chance_(std::move(chance)) {
  sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  the_vfs = *system;
  the_vfs.pNext = nullptr;
  the_vfs.zName = "simulated";
  the_vfs.pAppData = system;
  the_vfs.szOsFile = static_cast<int>(sizeof(SimulatedFile)) + system->szOsFile;
  the_vfs.xOpen = SimulatedFile::open;
  the_vfs.xDelete = SimulatedFile::remove;
  // The others do not use their file system argument as ours, but as the system's own.
  the_vfs.xAccess = [](sqlite3_vfs*, const char* name, int flags, int* out) {
    return system_vfs()->xAccess(system_vfs(), name, flags, out);
  };
  the_vfs.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* out) {
    return system_vfs()->xFullPathname(system_vfs(), name, size, out);
  };
  the_disk = this;
  sqlite3_vfs_register(&the_vfs, 1);
}

SimulatedDisk::~SimulatedDisk() {
  sqlite3_vfs* system = system_vfs();
  sqlite3_vfs_unregister(&the_vfs);
  sqlite3_vfs_register(system, 1);
  the_disk = nullptr;
}

std::map<std::string, std::string> SimulatedDisk::after_a_cut() {
  std::map<std::string, std::string> files;
  for (auto [path, platter] : platters_) {
    settle(platter);
    files[path] = std::move(platter.content);
  }
  return files;
}

int SimulatedDisk::on_operation() {
  if (before_operation) before_operation();
  if (operations_left_ && power_ && (*operations_left_)-- == 0) {
    operations_left_.reset();
    power_ = false;
  }
  if (!power_) return SQLITE_IOERR;
  if (failing_percent == 0 || chance_(100) >= failing_percent) return SQLITE_OK;
  return chance_(2) == 0 ? SQLITE_IOERR : SQLITE_FULL;
}

int SimulatedDisk::on_write(const std::string& path, Write write) {
  if (const int result = on_operation()) return result == SQLITE_FULL ? result : SQLITE_IOERR_WRITE;
  platters_[path].unsynced.push_back(std::move(write));
  return SQLITE_OK;
}

int SimulatedDisk::on_sync(const std::string& path) {
  Platter& platter = platters_[path];
  if (on_operation() != SQLITE_OK) {
    if (power_) settle(platter);
    return SQLITE_IOERR_FSYNC;
  }
  if (ignores_sync) return SQLITE_OK;
  for (const Write& write : platter.unsynced) apply(platter.content, write);
  platter.unsynced.clear();
  return SQLITE_OK;
}

// Chance decides which writes are there, and whether one ends in its middle.
void SimulatedDisk::settle(Platter& platter) {
  for (Write& write : platter.unsynced) {
    const std::uint64_t fate = chance_(4);
    if (fate == 0) continue;
    if (fate == 1 && write.octets.size() > kSectorOctets)
      write.octets.resize(kSectorOctets * (1 + chance_(write.octets.size() / kSectorOctets)));
    apply(platter.content, write);
  }
  platter.unsynced.clear();
}

void SimulatedDisk::apply(std::string& content, const Write& write) {
  if (write.truncated_to) return content.resize(static_cast<std::size_t>(*write.truncated_to));
  const std::size_t end = static_cast<std::size_t>(write.offset) + write.octets.size();
  content.resize(std::max(content.size(), end));
  std::ranges::copy(write.octets, content.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

void SimulatedDisk::restore_power() {
  for (auto& [path, platter] : platters_) {
    settle(platter);
    std::error_code ignored;
    std::filesystem::remove(path + "-shm", ignored);  // memory, not disk
    std::ofstream(path, std::ios::binary | std::ios::trunc) << platter.content;
  }
  operations_left_.reset();
  power_ = true;
}

}  // namespace waxwing
