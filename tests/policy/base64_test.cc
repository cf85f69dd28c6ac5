#include "policy/base64.h"

#include <array>
#include <catch2/catch.hpp>

using waxwing::decode_base64;
using waxwing::decode_base64_into;
using waxwing::encode_base64;

TEST_CASE("base64 of every length comes back") {
  std::string octets;
  for (int i = 0; i < 70; ++i) {
    CHECK(decode_base64(encode_base64(octets)).value() == octets);
    octets += static_cast<char>(i * 37);
  }
  CHECK(encode_base64("Ma") == "TWE=");
}

TEST_CASE("folding inside base64 is passed over, anything else is refused") {
  CHECK(decode_base64("T W\r\n\tE=").value() == "Ma");
  CHECK(decode_base64("").value().empty());
  CHECK_FALSE(decode_base64("TWE"));
  CHECK_FALSE(decode_base64("TW-_"));
  CHECK_FALSE(decode_base64("TWE=TWE="));
  CHECK_FALSE(decode_base64("="));
}

TEST_CASE("base64 is decoded into room of the caller, strictly") {
  std::array<char, 9> room{};
  const auto length = decode_base64_into("c2VjcmV0", room);
  REQUIRE(length);
  CHECK(std::string(room.data(), *length) == "secret");
  CHECK(decode_base64_into("YQ==", room) == 1);
  for (const char* text : {"c2Vj cmV0", "YQ", "=", "a"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_base64_into(text, room));
  }
}
