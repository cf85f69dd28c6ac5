#include "relay/store/spool_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <utility>

#include "relay/store/disk_space.h"
#include "relay/store/state_lock.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;

namespace {

struct SpoolDirectory : TemporaryDirectory {
  SpoolDirectory() { std::filesystem::create_directory(path() + "/spool"); }
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/spool")) count += entry.exists() ? 1U : 0U;
    return count;
  }
};

}  // namespace

TEST_CASE("a spool file is read back in pieces as it was written, and again after a rewind") {
  const SpoolDirectory directory;
  std::string content;
  {
    auto file = SpoolFile::create(directory.path(), QueueId(1));
    REQUIRE(file);
    for (int i = 0; i < 200; ++i) {
      const std::string piece(1'000, static_cast<char>('a' + i % 26));
      REQUIRE(file->append(piece));
      content += piece;
    }
    CHECK(file->octets() == content.size());
    REQUIRE(file->seal());
    file->keep();
  }
  auto reader = SpoolReader::open(directory.path(), QueueId(1), content.size());
  REQUIRE(reader);
  for (int round = 0; round < 2; ++round) {
    std::string read;
    for (auto piece = reader->next(); piece.value() != ""; piece = reader->next()) {
      CHECK(piece->size() <= 65'536);
      read += *piece;
    }
    CHECK(read == content);
    reader->rewind();
  }
  struct stat status {};
  REQUIRE(::stat(spool_path(directory.path(), QueueId(1)).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a spool file that nobody keeps leaves nothing behind") {
  const SpoolDirectory directory;
  {
    auto unsealed = SpoolFile::create(directory.path(), QueueId(1));
    auto sealed = SpoolFile::create(directory.path(), QueueId(2));
    REQUIRE(sealed->seal());
    auto kept_unsealed = SpoolFile::create(directory.path(), QueueId(3));
    kept_unsealed->keep();
    SpoolFile moved = std::move(*unsealed);
    moved = std::move(*sealed);
    CHECK(directory.files() == 2);
  }
  CHECK(directory.files() == 0);
}

TEST_CASE("a spool file is never written over another") {
  const SpoolDirectory directory;
  auto first = SpoolFile::create(directory.path(), QueueId(1));
  REQUIRE(first);
  CHECK_FALSE(SpoolFile::create(directory.path(), QueueId(1)));
}

TEST_CASE("a symbolic link in the spool is followed neither for writing nor for reading") {
  const SpoolDirectory directory;
  const std::string path = spool_path(directory.path(), QueueId(1));
  std::filesystem::create_symlink("/etc/passwd", path);
  std::filesystem::create_symlink(directory.path() + "/target", path + ".part");
  CHECK_FALSE(SpoolFile::create(directory.path(), QueueId(1)));
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/target"));
  CHECK(SpoolReader::open(directory.path(), QueueId(1), std::filesystem::file_size("/etc/passwd")).error().kind ==
        ErrorKind::Denied);
}

TEST_CASE("a body that is missing, of another size, or cut while it is read, is an error and not a short message") {
  const SpoolDirectory directory;
  const std::string path = spool_path(directory.path(), QueueId(1));
  CHECK(SpoolReader::open(directory.path(), QueueId(1), 5).error().kind == ErrorKind::NotFound);
  auto file = SpoolFile::create(directory.path(), QueueId(1));
  REQUIRE(file->append(std::string(100'000, 'x')));
  REQUIRE(file->seal());
  CHECK(SpoolReader::open(directory.path(), QueueId(1), 99'999).error().kind == ErrorKind::Corrupt);
  auto reader = SpoolReader::open(directory.path(), QueueId(1), 100'000);
  REQUIRE(reader->next());
  std::filesystem::resize_file(path, 65'536);
  CHECK(reader->next().error().kind == ErrorKind::Corrupt);
}

TEST_CASE("a directory that is not there is named") {
  const auto file = SpoolFile::create("/nonexistent.example", QueueId(1));
  REQUIRE_FALSE(file);
  CHECK(file.error().kind == ErrorKind::NotFound);
  CHECK(file.error().detail.find("/nonexistent.example/spool/") != std::string::npos);
}

TEST_CASE("a state directory has one holder at a time") {
  const TemporaryDirectory parent;
  const std::string path = parent.path() + "/state";
  auto first = StateLock::take(path);
  REQUIRE(first);
  StateLock moved = std::move(*first);
  CHECK(StateLock::take(path).error().kind == ErrorKind::Conflict);
  { const StateLock gone = std::move(moved); }
  CHECK(StateLock::take(path));
}

TEST_CASE("the free space of a directory is known") {
  const TemporaryDirectory directory;
  CHECK(free_octets(directory.path()).value() > 0);
  CHECK(free_octets("/nonexistent.example").error().kind == ErrorKind::NotFound);
}
