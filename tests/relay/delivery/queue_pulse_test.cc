#include "relay/delivery/queue_pulse.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;

namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};

}  // namespace

TEST_CASE("why mail for a domain waits is known until some is delivered") {
  QueuePulse pulse;
  pulse.on_outcome("a.example", RecipientState::Deferred, "no route", kNow);
  pulse.on_outcome("b.example", RecipientState::Deferred, "greylisted", kNow);
  pulse.on_outcome("a.example", RecipientState::Deferred, std::string(1'000, 'x'), kNow);
  CHECK(pulse.trouble_of("a.example") == std::string(kMaxTroubleOctets, 'x'));
  pulse.on_outcome("a.example", RecipientState::Bounced, "no such user", kNow);
  CHECK_FALSE(pulse.trouble_of("a.example").empty());
  pulse.on_outcome("a.example", RecipientState::Delivered, "", kNow);
  CHECK(pulse.trouble_of("a.example").empty());
  CHECK(pulse.trouble_of("b.example") == "greylisted");
}

TEST_CASE("domains of which nothing was heard for long are forgotten, so that strangers fill no memory") {
  QueuePulse pulse;
  for (std::size_t i = 0; i <= kMaxTroubles; ++i)
    pulse.on_outcome("d" + std::to_string(i), RecipientState::Deferred, "r", kNow);
  CHECK(pulse.trouble_of("d0").empty());
  CHECK(pulse.trouble_of("d1") == "r");
}

TEST_CASE("what comes and goes is counted by its kind") {
  QueuePulse pulse;
  for (int i = 0; i < 20; ++i) pulse.on_accepted(kNow);
  pulse.on_outcome("a.example", RecipientState::Delivered, "", kNow);
  for (int i = 0; i < 2; ++i) pulse.on_outcome("a.example", RecipientState::Deferred, "r", kNow);
  pulse.on_outcome("a.example", RecipientState::Bounced, "r", kNow);
  pulse.on_outcome("a.example", RecipientState::Expired, "r", kNow);
  pulse.on_outcome("a.example", RecipientState::Expired, "r", kNow);
  QueueOverview overview;
  overview.time = kNow + Seconds(1);
  pulse.tell(overview);
  CHECK(overview.accepted_per_second == Approx(2));
  CHECK(overview.delivered_per_second == Approx(0.1));
  CHECK(overview.deferred_per_second == Approx(0.2));
  CHECK(overview.returned_per_second == Approx(0.3));
}
