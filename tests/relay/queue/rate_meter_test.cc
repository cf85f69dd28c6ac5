#include "relay/queue/rate_meter.h"

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};

}  // namespace

TEST_CASE("a rate is that of the whole seconds before") {
  RateMeter meter;
  CHECK(meter.per_second(kNow) == 0);
  for (int i = 0; i < 10; ++i) meter.add(kNow + Milliseconds(i * 100), 5);
  CHECK(meter.per_second(kNow) == 0);  // this second is not over
  CHECK(meter.per_second(kNow + Seconds(1)) == 5);
  CHECK(meter.per_second(kNow + Seconds(10)) == 5);
  CHECK(meter.per_second(kNow + Seconds(11)) == 0);
}

TEST_CASE("events of long ago are not counted when their place in the ring comes round") {
  RateMeter meter;
  for (int second = 0; second < 100; ++second) meter.add(kNow + Seconds(second), 2);
  CHECK(meter.per_second(kNow + Seconds(100)) == 2);
  meter.add(kNow + Seconds(1'000));
  CHECK(meter.per_second(kNow + Seconds(1'001)) == Approx(0.1));
}

TEST_CASE("a clock that goes back does no harm") {
  RateMeter meter;
  meter.add(kNow, 3);
  meter.add(kNow - Seconds(3'600), 4);
  CHECK(meter.per_second(kNow - Seconds(3'600)) == 0);
  CHECK(meter.per_second(kNow + Seconds(1)) == Approx(0.7));
}
