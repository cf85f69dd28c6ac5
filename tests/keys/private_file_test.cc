#include "keys/private_file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace waxwing;

namespace {

// A folder of mode 0700 below the working directory of the test, with one file.
struct Folder {
  explicit Folder(mode_t mode) {
    std::string made = std::filesystem::temp_directory_path() / "waxwing-private-XXXXXX";
    REQUIRE(mkdtemp(made.data()) != nullptr);
    path = made;
    file = path + "/password";
    std::ofstream(file) << "pencil\n";
    REQUIRE(chmod(file.c_str(), mode) == 0);
  }
  ~Folder() {
    std::filesystem::remove_all(path);
    unsetenv("CREDENTIALS_DIRECTORY");
  }
  std::string path;
  std::string file;
};

constexpr std::size_t kMost = 100;

}  // namespace

TEST_CASE("a secret is read from a file that its owner alone may read", "[private_file]") {
  const Folder folder(0600);
  const auto secret = read_private_file(folder.file, geteuid(), kMost);
  REQUIRE(secret);
  CHECK(secret->reveal() == "pencil\n");
}

TEST_CASE("a file that others may read, or that is none, is refused", "[private_file]") {
  const Folder folder(0640);
  CHECK(read_private_file(folder.file, geteuid(), kMost).error().kind == ErrorKind::Denied);
  CHECK(read_private_file(folder.path + "/missing", geteuid(), kMost).error().kind == ErrorKind::NotFound);
  CHECK(read_private_file("password", geteuid(), kMost).error().kind == ErrorKind::Malformed);
}

TEST_CASE("a file is bounded", "[private_file]") {
  const Folder folder(0600);
  CHECK(read_private_file(folder.file, geteuid(), 7));
  CHECK(read_private_file(folder.file, geteuid(), 6).error().kind == ErrorKind::Malformed);
}

TEST_CASE("a credential of the service manager may have a right of the group, and none of others", "[private_file]") {
  const Folder folder(0440);
  CHECK_FALSE(read_private_file(folder.file, geteuid(), kMost));
  setenv("CREDENTIALS_DIRECTORY", folder.path.c_str(), 1);
  CHECK(read_private_file(folder.file, geteuid(), kMost)->reveal() == "pencil\n");
  CHECK(read_private_file(folder.file, geteuid(), 6).error().kind == ErrorKind::Malformed);
  REQUIRE(chmod(folder.file.c_str(), 0444) == 0);
  CHECK(read_private_file(folder.file, geteuid(), kMost).error().kind == ErrorKind::Denied);
}
