#include "policy/secret.h"

#include <catch2/catch.hpp>
#include <type_traits>
#include <utility>

namespace waxwing {
namespace {

TEST_CASE("a secret can be moved but not copied", "[secret]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Secret>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Secret>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Secret>);

  Secret first("seed");
  Secret second(std::move(first));
  CHECK(second.reveal() == "seed");
  CHECK(first.reveal().empty());  // NOLINT(bugprone-use-after-move): a moved-from secret holds nothing
}

TEST_CASE("a secret that is replaced takes over the new octets", "[secret]") {
  Secret secret("old");
  secret = Secret("newer");
  CHECK(secret.reveal() == "newer");
}

TEST_CASE("zeros can be filled", "[secret]") {
  Secret secret = Secret::zeros(3);
  CHECK(secret.reveal() == std::string_view("\0\0\0", 3));
  secret.writable()[1] = 'x';
  CHECK(secret.reveal() == std::string_view("\0x\0", 3));
}

}  // namespace
}  // namespace waxwing
