#include "policy/sha256.h"

#include <catch2/catch.hpp>

#include "policy/base64.h"

using namespace waxwing;

TEST_CASE("SHA-256 of the vectors of FIPS 180") {
  CHECK(encode_base64(sha256("abc")) == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  CHECK(encode_base64(sha256("")) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}
