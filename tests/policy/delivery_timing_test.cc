#include "policy/delivery_timing.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;

TEST_CASE("the value of BY is seconds, a mode and perhaps a trace") {
  CHECK(parse_by_value("120;R") == ByValue{Seconds(120), ByMode::Return, false});
  CHECK(parse_by_value("+120;rT") == ByValue{Seconds(120), ByMode::Return, true});
  CHECK(parse_by_value("-5;N") == ByValue{Seconds(-5), ByMode::Notify, false});
  CHECK(parse_by_value("0;nt") == ByValue{Seconds(0), ByMode::Notify, true});
  CHECK(parse_by_value("-999999999;N") == ByValue{Seconds(-999'999'999), ByMode::Notify, false});
  for (const char* text :
       {"",    ";",    "120", "120;",  ";R",           "120R", "120;X", "120;RN", "120;TR", "120;RTT",
        "0;R", "-1;R", "+;R", "--1;N", "1234567890;N", "1 ;N", "1;N ",  "0x1;N",  "1.5;N",  "120;;R"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_by_value(text));
  }
}

TEST_CASE("the next host is told what is left of the time") {
  const WallTime now{Seconds(1'769'860'800)};
  CHECK(DeliverBy{now + Seconds(120), ByMode::Return, false}.value_at(now + Seconds(22)).str() == "98;R");
  CHECK(DeliverBy{now + Seconds(5), ByMode::Notify, true}.value_at(now + Seconds(10)).str() == "-5;NT");
  const DeliverBy soon{now + Milliseconds(1'999), ByMode::Return, false};
  CHECK(soon.value_at(now).time == Seconds(1));
}

TEST_CASE("HOLDFOR is a positive number of seconds") {
  CHECK(parse_hold_for("1") == Seconds(1));
  CHECK(parse_hold_for("999999999") == kMaxHold);
  for (const char* text : {"", "0", "01", "-1", "+1", "1s", "1.0", " 1", "1000000000"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_hold_for(text));
  }
}

TEST_CASE("a request for a later release is written for reports and known again") {
  CHECK(release_request_text({}).empty());
  CHECK(release_request_text({Seconds(3'600), {}, {}}) == "for;3600");
  const WallTime until{Milliseconds(1'769'860'800'001)};
  CHECK(release_request_text({{}, until, {}}) == "until;2026-01-31T12:00:01Z");
  for (const char* text : {"for;3600", "until;2026-01-31T12:00:01Z"}) CHECK(is_release_request(text));
  for (const char* text : {"", "for;", "for;0", "until;", "until;tomorrow", "for;1\r\nX: y", "3600"}) {
    CAPTURE(text);
    CHECK_FALSE(is_release_request(text));
  }
}
