#include "relay/queue/retry_pace.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace waxwing;

namespace {

using Stage = DeliveryStage;

const WallTime kNow{Milliseconds{1'769'860'800'000}};
// That of the reference configuration.
const std::vector<Seconds> kDelays = {Seconds(300),   Seconds(600),   Seconds(1'200), Seconds(2'400),
                                      Seconds(3'600), Seconds(7'200), Seconds(14'400)};

// When it is tried again after so many attempts, at the earliest and at the latest, over many messages.
struct Window {
  Seconds earliest{Seconds::max()};
  Seconds latest{0};
};
Window window(const BounceEvidence& evidence, std::uint32_t attempts) {
  const RetrySchedule schedule(kDelays);
  Window window;
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    const auto delay =
        std::chrono::duration_cast<Seconds>(schedule.next_attempt(attempts, kNow, seed, retry_pace(evidence)) - kNow);
    window.earliest = std::min(window.earliest, delay);
    window.latest = std::max(window.latest, delay);
  }
  return window;
}

void check(const BounceEvidence& evidence, std::uint32_t attempts, Seconds earliest, Seconds latest) {
  CAPTURE(evidence.status, evidence.reply, attempts);
  const Window found = window(evidence, attempts);
  CHECK(found.earliest >= earliest);
  CHECK(found.earliest <= earliest + (latest - earliest) / 50);
  CHECK(found.latest <= latest);
  CHECK(found.latest >= latest - (latest - earliest) / 50);
}

}  // namespace

TEST_CASE("a host that is not reached is tried as the list says, 20 % either way") {
  for (const char* status : {"4.4.1", "4.4.2"}) {
    check({status, "", Stage::Connect}, 1, Seconds(240), Seconds(360));
    check({status, "", Stage::Connect}, 2, Seconds(480), Seconds(720));
    check({status, "", Stage::Connect}, 30, Seconds(11'520), Seconds(17'280));
  }
  check({"4.3.0", "451 4.3.0 queue file write error", Stage::Content}, 1, Seconds(240), Seconds(360));
}

TEST_CASE("a greylist is tried again soon, but not before it may open, and never waits for hours") {
  const BounceEvidence greylist{"4.2.0", "450 4.2.0 Greylisted, see http://postgrey.example", Stage::Rcpt};
  check(greylist, 1, Seconds(300), Seconds(360));
  check(greylist, 2, Seconds(600), Seconds(720));
  check(greylist, 30, Seconds(1'200), Seconds(1'440));
  check({"4.7.1", "451 4.7.1 Try again later", Stage::Content}, 1, Seconds(300), Seconds(360));
}

TEST_CASE("when DNS does not answer, mail is looked at again soon, however long that lasts, and not all at once") {
  check({"4.4.3", "", Stage::None}, 1, Seconds(150), Seconds(450));
  check({"4.4.3", "", Stage::None}, 40, Seconds(300), Seconds(900));
  check({"4.3.0", "", Stage::None}, 1, Seconds(150), Seconds(450));
}

TEST_CASE("DNS that a host complains of is no matter of ours") {
  check({"4.4.3", "451 4.4.3 temporary lookup failure", Stage::Rcpt}, 40, Seconds(11'520), Seconds(17'280));
}

TEST_CASE("who asks for less, and who does not want this mail, hears less of it") {
  for (const BounceEvidence& evidence : {BounceEvidence{"4.7.28", "421 4.7.28 unusual rate of mail", Stage::Content},
                                         BounceEvidence{"4.0.0", "421 closing", Stage::Greeting},
                                         BounceEvidence{"4.3.2", "452 4.3.2 too many connections", Stage::Mail},
                                         BounceEvidence{"4.7.0", "450 4.7.0 blocked using dnsbl.example", Stage::Rcpt},
                                         BounceEvidence{"4.7.1", "450 4.7.1 not by our policy", Stage::Rcpt}}) {
    check(evidence, 1, Seconds(960), Seconds(1'440));
    check(evidence, 2, Seconds(1'920), Seconds(2'880));
  }
}

TEST_CASE("what TLS did not prove is tried again when somebody may have mended it") {
  check({"4.7.5", "", Stage::Tls}, 1, Seconds(480), Seconds(720));
  check({"4.7.5", "", Stage::None}, 1, Seconds(480), Seconds(720));
  check({"4.7.4", "454 4.7.4 TLS not available", Stage::Tls}, 1, Seconds(480), Seconds(720));
}

TEST_CASE("a full mailbox is tried slowly from the beginning") {
  const BounceEvidence full{"4.2.2", "452 4.2.2 mailbox full", Stage::Rcpt};
  check(full, 1, Seconds(2'880), Seconds(4'320));
  check(full, 3, Seconds(11'520), Seconds(17'280));
}
