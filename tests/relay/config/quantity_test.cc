#include "relay/config/quantity.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

TEST_CASE("durations are digits and one unit") {
  CHECK(parse_duration("0s") == Seconds(0));
  CHECK(parse_duration("90s") == Seconds(90));
  CHECK(parse_duration("5m") == Seconds(300));
  CHECK(parse_duration("2h") == Seconds(7'200));
  CHECK(parse_duration("5d") == Seconds(432'000));
}

TEST_CASE("other shapes and absurd lengths are not durations") {
  for (const auto* text : {"", "5", "d", " 5d", "5 d", "5d ", "-5d", "+5d", "5.5d", "5D", "5w", "1h30m", "0x5d",
                           "18446744073709551615d", "99999999999999999999s", "40000d"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("durations are written with the largest unit that divides them") {
  CHECK(format_duration(Seconds(0)) == "0s");
  CHECK(format_duration(Seconds(90)) == "90s");
  CHECK(format_duration(Seconds(5'400)) == "90m");
  CHECK(format_duration(Seconds(86'400)) == "1d");
}

TEST_CASE("sizes are digits and one binary unit") {
  CHECK(parse_size("0B") == 0);
  CHECK(parse_size("1000B") == 1'000);
  CHECK(parse_size("4KiB") == 4'096);
  CHECK(parse_size("50MiB") == 50ULL << 20);
  CHECK(parse_size("2GiB") == 2ULL << 30);
}

TEST_CASE("other shapes and overflowing numbers are not sizes") {
  for (const auto* text : {"", "50", "50MB", "50 MiB", "50mib", "-1B", "18446744073709551615GiB", "MiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

TEST_CASE("sizes are written with the largest unit that divides them") {
  CHECK(format_size(0) == "0B");
  CHECK(format_size(1'000) == "1000B");
  CHECK(format_size(50ULL << 20) == "50MiB");
}

TEST_CASE("a port is a number from 1 to 65535 and nothing else") {
  CHECK(parse_port("1") == 1);
  CHECK(parse_port("65535") == 65'535);
  for (const auto* text : {"", "0", "65536", "25 ", "+25", "-25", "0x19", "25:"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_port(text));
  }
}

}  // namespace
}  // namespace waxwing
