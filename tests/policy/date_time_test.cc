#include "policy/date_time.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;

namespace {

constexpr Milliseconds kNoon{1'769'860'800'000};  // 2026-01-31T12:00:00Z

}  // namespace

TEST_CASE("a time of day in UTC is read however RFC 3339 lets it be written") {
  for (const char* text : {"2026-01-31T12:00:00Z", "2026-01-31t12:00:00z", "2026-01-31T12:00:00.000Z",
                           "2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00-00:00"}) {
    CAPTURE(text);
    CHECK(parse_utc_date_time(text) == WallTime(kNoon));
  }
  CHECK(parse_utc_date_time("2024-02-29T00:00:00Z"));
  CHECK(parse_utc_date_time("2016-12-31T23:59:60Z") == parse_utc_date_time("2017-01-01T00:00:00Z"));
}

TEST_CASE("a fraction of a second is never cut to an earlier time") {
  CHECK(parse_utc_date_time("2026-01-31T12:00:00.5Z") == WallTime(kNoon + Milliseconds(500)));
  CHECK(parse_utc_date_time("2026-01-31T12:00:00.0001Z") == WallTime(kNoon + Milliseconds(1)));
  CHECK(parse_utc_date_time("2026-01-31T12:00:00.999999999Z") == WallTime(kNoon + Milliseconds(1'000)));
}

TEST_CASE("what is no time, or one of another place, is none") {
  for (const char* text : {"",
                           "Z",
                           "2026-01-31",
                           "2026-01-31T12:00:00",
                           "2026-01-31 12:00:00Z",
                           "2026-01-31T12:00Z",
                           "2026-1-31T12:00:00Z",
                           "2026-02-29T12:00:00Z",
                           "2026-13-01T12:00:00Z",
                           "2026-00-01T12:00:00Z",
                           "2026-01-00T12:00:00Z",
                           "2026-01-31T24:00:00Z",
                           "2026-01-31T12:60:00Z",
                           "2026-01-31T12:00:61Z",
                           "2026-01-31T12:00:00.Z",
                           "2026-01-31T12:00:00,5Z",
                           "2026-01-31T12:00:00.0000000000Z",
                           "2026-01-31T12:00:00ZZ",
                           "2026-01-31T12:00:00Z ",
                           "2026-01-31T12:00:00+01:00",
                           "2026-01-31T12:00:00+0000",
                           "+026-01-31T12:00:00Z",
                           "1969-12-31T23:59:59Z",
                           "2026-01-31T-1:00:00Z",
                           "12026-01-31T12:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_utc_date_time(text));
  }
}

TEST_CASE("a time is written so that it is read as the same second") {
  CHECK(utc_date_time_text(WallTime(kNoon + Milliseconds(999))) == "2026-01-31T12:00:00Z");
  for (const std::int64_t second : {0LL, 951'782'400LL, 1'769'860'800LL, 4'102'444'799LL}) {
    const WallTime time{Seconds(second)};
    CHECK(parse_utc_date_time(utc_date_time_text(time)) == time);
  }
}
