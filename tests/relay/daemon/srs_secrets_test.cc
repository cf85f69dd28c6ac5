#include "relay/daemon/srs_secrets.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/relay/store/temporary_directory.h"

namespace waxwing {
namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};

std::vector<std::string> load(const TemporaryDirectory& directory, WallTime now) {
  const auto secrets = load_srs_secrets(directory.path(), now);
  INFO((secrets ? std::string() : secrets.error().detail));
  REQUIRE(secrets);
  std::vector<std::string> octets;
  for (const Secret& secret : *secrets) octets.emplace_back(secret.reveal());
  return octets;
}

TEST_CASE("a secret is made once, for its owner alone, and found again") {
  const TemporaryDirectory directory;
  const auto first = load(directory, kNow);
  REQUIRE(first.size() == 1);
  CHECK(first[0].size() == 32);
  CHECK(load(directory, kNow + std::chrono::hours(24 * 30)) == first);
  struct stat status {};
  REQUIRE(::stat((directory.path() + "/srs/20260131120000").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
}

TEST_CASE("an old secret gets a successor and is still believed") {
  const TemporaryDirectory directory;
  const auto first = load(directory, kNow);
  const auto both = load(directory, kNow + std::chrono::hours(24 * (kSrsSecretDays + 1)));
  REQUIRE(both.size() == 2);
  CHECK(both[0] != first[0]);
  CHECK(both[1] == first[0]);
}

TEST_CASE("a secret that others can read, or that was cut, is refused") {
  const TemporaryDirectory directory;
  load(directory, kNow);
  const std::string path = directory.path() + "/srs/20260131120000";
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(load_srs_secrets(directory.path(), kNow).error().kind == ErrorKind::Denied);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  std::filesystem::resize_file(path, 5);
  CHECK(load_srs_secrets(directory.path(), kNow).error().kind == ErrorKind::Corrupt);
}

}  // namespace
}  // namespace waxwing
