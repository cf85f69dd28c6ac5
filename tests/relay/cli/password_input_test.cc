#include "relay/cli/password_input.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace waxwing {
namespace {

Result<Secret> read_from(const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  auto password = read_password("", {in, out, err});
  CHECK(out.str().empty());
  CHECK(err.str().empty());
  return password;
}

TEST_CASE("the password is the first line of the standard input") {
  for (const auto* input : {"open sesame", "open sesame\n", "open sesame\r\n", "open sesame\nmore\n"}) {
    const auto password = read_from(input);
    REQUIRE(password);
    CHECK(password->reveal() == "open sesame");
  }
}

TEST_CASE("spaces around a password and octets above ASCII belong to it") {
  CHECK(read_from(" p\xc3\xa4ss \n")->reveal() == " p\xc3\xa4ss ");
}

TEST_CASE("an empty password is refused") {
  CHECK_FALSE(read_from(""));
  CHECK_FALSE(read_from("\n"));
  CHECK_FALSE(read_from("\r\n"));
}

TEST_CASE("a password is bounded in length") {
  CHECK(read_from(std::string(kMaxPasswordInputOctets, 'p') + "\n")->size() == kMaxPasswordInputOctets);
  CHECK(read_from(std::string(kMaxPasswordInputOctets, 'p'))->size() == kMaxPasswordInputOctets);
  CHECK_FALSE(read_from(std::string(kMaxPasswordInputOctets + 1, 'p') + "\n"));
  CHECK_FALSE(read_from(std::string(1'000'000, 'p')));
}

TEST_CASE("a password file has it on its first line, and is named when it cannot be read") {
  std::string path = "/tmp/waxwing_password_test_XXXXXX";
  const int descriptor = ::mkstemp(path.data());
  REQUIRE(descriptor >= 0);
  ::close(descriptor);
  std::ofstream(path) << "from file\nsecond line\n";
  std::istringstream in("from stdin\n");
  std::ostringstream out;
  const auto password = read_password(path, {in, out, out});
  REQUIRE(password);
  CHECK(password->reveal() == "from file");
  std::ofstream(path) << std::string(1'000'000, 'p');
  CHECK_FALSE(read_password(path, {in, out, out}));
  ::unlink(path.c_str());
  const auto missing = read_password(path, {in, out, out});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::NotFound);
  CHECK_THAT(missing.error().detail, Catch::Contains(path));
}

}  // namespace
}  // namespace waxwing
