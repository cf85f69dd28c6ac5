#include "relay/store/disk_reserve.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>

#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/store/temporary_directory.h"

namespace waxwing {
namespace {

std::uint64_t blocks_octets(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0;
}

TEST_CASE("the reserve holds real blocks until it is given up, and can be taken again") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/reserve";
  DiskReserve reserve(directory.path());
  CHECK(blocks_octets(path) == 0);
  reserve.ensure();
  CHECK(blocks_octets(path) >= kDiskReserveOctets);
  reserve.release();
  CHECK(blocks_octets(path) == 0);
  reserve.ensure();
  CHECK(blocks_octets(path) >= kDiskReserveOctets);
}

TEST_CASE("what an earlier process held in reserve is given up before the store is opened") {
  const TemporaryDirectory directory;
  DiskReserve(directory.path()).ensure();
  CHECK(blocks_octets(directory.path() + "/reserve") >= kDiskReserveOctets);
  const auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  CHECK(blocks_octets(directory.path() + "/reserve") == 0);
}

}  // namespace
}  // namespace waxwing
