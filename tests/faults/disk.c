// A disk for tests, put between a program and the C library (LD_PRELOAD). It writes down everything that is asked of the
// files of one folder, in the order in which it was done, so that a test can tell what a power cut at any place would have
// left; and it fails calls when the test says so.
//
//   TEST_DISK_FOLDER   absolute path; what is not below it is left alone
//   TEST_DISK_LOG      file to which records are appended; none: nothing is written down
//   TEST_DISK_DEAF     end of the names of files that are never synced, although the caller is told so; none: all are
//   TEST_DISK_CONTROL  file with a `struct control`, looked at before each call; none: nothing fails
//
// A record is a `struct record`, the absolute path, and the octets of a write. The path is what the file is called at that
// moment; its inode tells files apart.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE = 2, SYNC = 3, NAME = 4, RENAME = 5, UNLINK = 6 };  // 7: what the test writes itself

struct record {
  uint32_t kind;
  uint32_t path_octets;  // of RENAME: both paths, with a zero between them
  uint64_t inode;
  uint64_t offset;  // of TRUNCATE: the new size
  uint64_t octets;
};

enum fault { FAIL_WRITE = 1, FAIL_SYNC = 2, FAIL_NAME = 4, SHORT_WRITE = 8 };

struct control {
  _Atomic uint32_t faults;   // which calls fail
  _Atomic uint32_t error;    // errno
  _Atomic uint32_t calls;    // how many more fail
  _Atomic uint32_t happened; // how many did
};

static const char* folder;
static const char* deaf;
static int log_descriptor = -1;
static struct control* control;

__attribute__((constructor)) static void begin(void) {
  folder = getenv("TEST_DISK_FOLDER");
  deaf = getenv("TEST_DISK_DEAF");
  const char* path = getenv("TEST_DISK_LOG");
  if (folder != NULL && path != NULL)
    log_descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  path = getenv("TEST_DISK_CONTROL");
  if (folder == NULL || path == NULL) return;
  const int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (descriptor < 0) return;
  void* mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(descriptor);
}

static int is_ours(const char* path) {
  const size_t size = folder == NULL ? 0 : strlen(folder);
  if (size == 0 || strncmp(path, folder, size) != 0 || (path[size] != '/' && path[size] != '\0')) return 0;
  const size_t length = strlen(path);
  return length < 4 || strcmp(path + length - 4, "-shm") != 0;  // memory, which no power cut leaves
}

static int path_of(int descriptor, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, PATH_MAX - 1);
  if (size <= 0) return 0;
  path[size] = '\0';
  return is_ours(path);
}

static int absolute(int directory, const char* name, char path[PATH_MAX]) {
  if (name[0] == '/' || directory == AT_FDCWD) {
    if (name[0] != '/') return 0;
    if (strlen(name) >= PATH_MAX) return 0;
    strcpy(path, name);
    return is_ours(path);
  }
  if (!path_of(directory, path) || strlen(path) + strlen(name) + 2 > PATH_MAX) return 0;
  strcat(strcat(path, "/"), name);
  return 1;
}

static int fails(uint32_t which) {
  if (control == NULL || (control->faults & which) == 0) return 0;
  uint32_t left = control->calls;
  while (left > 0 && !atomic_compare_exchange_weak(&control->calls, &left, left - 1)) {
  }
  if (left == 0) return 0;
  control->happened++;
  errno = (int)control->error;
  return 1;
}

// One write to a file that is appended to is not mixed with another.
static void record(enum kind kind, const char* path, size_t path_octets, uint64_t inode, uint64_t offset, const void* octets,
                   uint64_t size) {
  if (log_descriptor < 0) return;
  const int before = errno;
  struct record head = {kind, (uint32_t)path_octets, inode, offset, size};
  struct iovec parts[3] = {{&head, sizeof head}, {(void*)path, path_octets}, {(void*)octets, octets == NULL ? 0 : size}};
  if (syscall(SYS_writev, log_descriptor, parts, 3) < 0) abort();
  errno = before;
}

static uint64_t inode_of(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

static ssize_t write_at(int descriptor, const void* octets, size_t size, off_t offset, int positioned) {
  char path[PATH_MAX];
  if (!path_of(descriptor, path))
    return positioned ? syscall(SYS_pwrite64, descriptor, octets, size, offset) : syscall(SYS_write, descriptor, octets, size);
  if (fails(FAIL_WRITE)) return -1;
  if (size > 1 && fails(SHORT_WRITE)) size /= 2;
  if (!positioned) offset = lseek(descriptor, 0, fcntl(descriptor, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
  const ssize_t written =
      positioned ? syscall(SYS_pwrite64, descriptor, octets, size, offset) : syscall(SYS_write, descriptor, octets, size);
  if (written > 0) record(WRITE, path, strlen(path), inode_of(descriptor), (uint64_t)offset, octets, (uint64_t)written);
  return written;
}

ssize_t write(int descriptor, const void* octets, size_t size) { return write_at(descriptor, octets, size, 0, 0); }
ssize_t pwrite(int descriptor, const void* octets, size_t size, off_t offset) {
  return write_at(descriptor, octets, size, offset, 1);
}
ssize_t pwrite64(int descriptor, const void* octets, size_t size, off64_t offset) {
  return write_at(descriptor, octets, size, offset, 1);
}

int ftruncate(int descriptor, off_t size) {
  char path[PATH_MAX];
  if (!path_of(descriptor, path)) return (int)syscall(SYS_ftruncate, descriptor, size);
  if (fails(FAIL_WRITE)) return -1;
  const int done = (int)syscall(SYS_ftruncate, descriptor, size);
  if (done == 0) record(TRUNCATE, path, strlen(path), inode_of(descriptor), (uint64_t)size, NULL, 0);
  return done;
}
int ftruncate64(int descriptor, off64_t size) { return ftruncate(descriptor, size); }

static int sync_file(int descriptor, long call) {
  char path[PATH_MAX];
  if (!path_of(descriptor, path)) return (int)syscall(call, descriptor);
  if (fails(FAIL_SYNC)) return -1;
  const size_t length = strlen(path);
  const size_t end = deaf == NULL ? 0 : strlen(deaf);
  if (end > 0 && length >= end && strcmp(path + length - end, deaf) == 0) return 0;
  const int done = (int)syscall(call, descriptor);
  if (done == 0) record(SYNC, path, length, inode_of(descriptor), 0, NULL, 0);
  return done;
}
int fsync(int descriptor) { return sync_file(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return sync_file(descriptor, SYS_fdatasync); }

static int open_file(int directory, const char* name, int flags, mode_t mode) {
  char path[PATH_MAX];
  const int makes = (flags & O_CREAT) != 0 && absolute(directory, name, path);
  if (makes && fails(FAIL_NAME)) return -1;
  const int descriptor = (int)syscall(SYS_openat, directory, name, flags, mode);
  if (descriptor < 0 || !makes) return descriptor;
  record(NAME, path, strlen(path), inode_of(descriptor), 0, NULL, 0);
  if ((flags & O_TRUNC) != 0) record(TRUNCATE, path, strlen(path), inode_of(descriptor), 0, NULL, 0);
  return descriptor;
}

#define MODE_OF(flags)                          \
  mode_t mode = 0;                              \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
    va_list rest;                               \
    va_start(rest, flags);                      \
    mode = va_arg(rest, mode_t);                \
    va_end(rest);                               \
  }

int open(const char* name, int flags, ...) {
  MODE_OF(flags)
  return open_file(AT_FDCWD, name, flags, mode);
}
int open64(const char* name, int flags, ...) {
  MODE_OF(flags)
  return open_file(AT_FDCWD, name, flags, mode);
}
int openat(int directory, const char* name, int flags, ...) {
  MODE_OF(flags)
  return open_file(directory, name, flags, mode);
}
int openat64(int directory, const char* name, int flags, ...) {
  MODE_OF(flags)
  return open_file(directory, name, flags, mode);
}

int renameat(int from_directory, const char* from, int to_directory, const char* to) {
  char paths[2 * PATH_MAX];
  char target[PATH_MAX];
  const int ours = absolute(from_directory, from, paths) && absolute(to_directory, to, target);
  if (ours && fails(FAIL_NAME)) return -1;
  const int done = (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, 0);
  if (done != 0 || !ours) return done;
  const size_t length = strlen(paths);
  strcpy(paths + length + 1, target);
  record(RENAME, paths, length + 1 + strlen(target), 0, 0, NULL, 0);
  return done;
}
int rename(const char* from, const char* to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int unlinkat(int directory, const char* name, int flags) {
  char path[PATH_MAX];
  const int ours = absolute(directory, name, path);
  const int done = (int)syscall(SYS_unlinkat, directory, name, flags);
  if (done == 0 && ours) record(UNLINK, path, strlen(path), 0, 0, NULL, 0);
  return done;
}
int unlink(const char* name) { return unlinkat(AT_FDCWD, name, 0); }
