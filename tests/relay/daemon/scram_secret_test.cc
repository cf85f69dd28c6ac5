#include "relay/daemon/scram_secret.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "tests/relay/store/temporary_directory.h"

namespace waxwing {
namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};

TEST_CASE("the secret of SCRAM is made once, for its owner alone, and found again") {
  const TemporaryDirectory directory;
  const auto first = load_scram_secret(directory.path(), kNow);
  REQUIRE(first);
  CHECK(first->size() == 32);
  const auto second = load_scram_secret(directory.path(), kNow + Milliseconds(1));
  REQUIRE(second);
  CHECK(second->reveal() == first->reveal());
  struct stat status {};
  REQUIRE(::stat((directory.path() + "/scram/secret").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  const TemporaryDirectory other;
  CHECK(load_scram_secret(other.path(), kNow)->reveal() != first->reveal());
}

TEST_CASE("a secret of SCRAM that was cut, or that others can read, is refused") {
  const TemporaryDirectory directory;
  REQUIRE(load_scram_secret(directory.path(), kNow));
  const std::string path = directory.path() + "/scram/secret";
  std::ofstream(path, std::ios::trunc) << "short";
  CHECK(load_scram_secret(directory.path(), kNow).error().kind == ErrorKind::Corrupt);
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(load_scram_secret(directory.path(), kNow).error().kind == ErrorKind::Denied);
}

}  // namespace
}  // namespace waxwing
