#include "policy/input_buffer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <utility>

using namespace waxwing;

namespace {

bool is_zero(const char* octets, std::size_t count) {
  return std::all_of(octets, octets + count, [](char octet) { return octet == 0; });
}

}  // namespace

TEST_CASE("an input buffer gives what came, from the front") {
  InputBuffer buffer;
  CHECK(buffer.empty());
  CHECK(buffer.view().empty());
  buffer.append("AUTH PLAIN\r\n");
  buffer.append("QUIT\r\n");
  CHECK(buffer.view() == "AUTH PLAIN\r\nQUIT\r\n");
  buffer.consume(12);
  CHECK(buffer.view() == "QUIT\r\n");
  buffer.append("x");
  CHECK(buffer.view() == "QUIT\r\nx");
  CHECK(buffer.size() == 7);
  buffer.clear();
  CHECK(buffer.empty());
}

TEST_CASE("what is consumed from an input buffer is overwritten at once") {
  InputBuffer buffer;
  buffer.append("secret, and more");
  const char* octets = buffer.view().data();
  buffer.consume(6);
  CHECK(is_zero(octets, 6));
  CHECK(buffer.view() == ", and more");
  buffer.clear();
  CHECK(is_zero(octets, 16));
}

TEST_CASE("an input buffer that grows keeps what waits, whatever was consumed before") {
  InputBuffer buffer;
  std::string expected;
  for (int round = 0; round < 200; ++round) {
    const std::string octets(static_cast<std::size_t>(round * 7 % 61), static_cast<char>('a' + round % 26));
    buffer.append(octets);
    expected += octets;
    const std::size_t taken = std::min(expected.size(), static_cast<std::size_t>(round % 29));
    buffer.consume(taken);
    expected.erase(0, taken);
    REQUIRE(buffer.view() == expected);
  }
}

TEST_CASE("an input buffer that was moved from is empty and can be used again") {
  InputBuffer buffer;
  buffer.append("waiting");
  InputBuffer other(std::move(buffer));
  CHECK(other.view() == "waiting");
  buffer.append("new");
  CHECK(buffer.view() == "new");
  other = std::move(buffer);
  CHECK(other.view() == "new");
  CHECK(buffer.empty());
}
