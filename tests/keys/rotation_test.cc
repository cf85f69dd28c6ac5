#include "keys/rotation.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "keys/generation_name.h"
#include "keys/rotation_request.h"

namespace waxwing {
namespace {

using Seen = RecordSighting::Seen;
using Kind = RotationAction::Kind;

constexpr WallTime kNow{Milliseconds(1'769'860'800'000)};  // 2026-01-31T12:00:00Z
constexpr Seconds kDay{86'400};

/// A domain whose world does what it is told: each step makes and publishes what the one before asked for.
struct Obedient {
  RotationState state = adopt_keys(*DomainName::parse("a.example"), {}, kNow).state;
  RotationRules rules;
  RotationFacts facts;
  WallTime now = kNow;
  RotationStep last{state, {}, {}, {}, {}};

  Obedient() { facts.queued.emplace(); }

  void see(const std::string& selector, const std::string& record, Seen seen) {
    facts.sightings[selector] = {seen, now, record, Seconds(300), Seconds(60), "ns1 and ns2"};
  }

  const RotationStep& step(Seconds later = Seconds(3'600)) {
    now += later;
    for (auto& [selector, sighting] : facts.sightings) sighting.at = now;
    last = advance_rotation(state, facts, rules, now);
    state = last.state;
    for (const RotationAction& action : last.actions) {
      if (action.kind == Kind::Make) facts.made[action.selector] = "v=DKIM1; p=" + action.selector;
      if (action.kind == Kind::Publish) see(action.selector, action.record, Seen::Everywhere);
      if (action.kind == Kind::Withdraw || action.kind == Kind::Revoke) {
        see(action.selector, action.record, Seen::Nowhere);
        facts.taken_back.insert(action.selector);
      }
      if (action.kind == Kind::Destroy || action.kind == Kind::Reveal) facts.made.erase(action.selector);
    }
    return last;
  }

  void settle() {
    for (int i = 0; i < 12; ++i) step();
  }

  std::vector<KeyPhase> phases() const {
    std::vector<KeyPhase> all;
    for (const KeyGeneration& each : state.generations) all.push_back(each.phase);
    return all;
  }
};

TEST_CASE("a new domain gets a pair that signs and, beside it, a standby") {
  Obedient domain;
  domain.settle();
  CHECK(domain.phases() == std::vector{KeyPhase::Active, KeyPhase::Ready});
  CHECK(signing_selectors(domain.state) == std::vector<std::string>{"w20260131", "w20260131-ed25519"});
  CHECK(domain.last.actions.empty());
  CHECK(domain.last.troubles.empty());
  CHECK(domain.facts.made.size() == 4);
}

TEST_CASE("nothing is published before it is made, and nothing signs before it was seen twice") {
  Obedient domain;
  CHECK(domain.step().actions.front().kind == Kind::Make);
  CHECK(domain.step().actions.front().kind == Kind::Publish);
  domain.step();
  CHECK(domain.phases() == std::vector{KeyPhase::Published, KeyPhase::Published});
  const RotationStep& soon = domain.step(Seconds(59));  // of a negative TTL of 60
  CHECK(soon.state.generations.front().phase == KeyPhase::Published);
  REQUIRE(soon.next);
  CHECK(*soon.next == domain.now + Seconds(1));
  domain.step(Seconds(1));
  CHECK(domain.phases().front() == KeyPhase::Active);
}

TEST_CASE("silence proves nothing, neither presence nor absence") {
  Obedient domain;
  domain.settle();
  for (auto& [selector, sighting] : domain.facts.sightings) sighting.seen = Seen::Unknown;
  CHECK(domain.step().transitions.empty());
  CHECK(domain.phases() == std::vector{KeyPhase::Active, KeyPhase::Ready});
}

TEST_CASE("one key of the pair that is missing on one server keeps both from signing") {
  Obedient domain;
  domain.step();
  domain.step();
  domain.facts.sightings["w20260131-ed25519"].seen = Seen::Partly;
  domain.step();
  CHECK(domain.phases().front() == KeyPhase::Pending);
}

TEST_CASE("a rotation waits for a second standby, so that one is always left") {
  Obedient domain;
  domain.settle();
  domain.state = request_rotation(domain.state, domain.now).state;
  for (int i = 0; i < 10 && domain.state.rotation_wanted; ++i) {
    domain.step();
    CHECK(std::ranges::count(domain.phases(), KeyPhase::Ready) >= 1);
  }
  CHECK(domain.phases() == std::vector{KeyPhase::Retiring, KeyPhase::Active, KeyPhase::Ready});
}

TEST_CASE("rotations come by themselves when an interval is set") {
  Obedient domain;
  domain.rules.interval = 90 * kDay;
  domain.settle();
  REQUIRE(domain.last.next);
  CHECK(*domain.last.next == domain.state.generations.front().since + 90 * kDay);
  domain.step(90 * kDay);
  for (int i = 0; i < 6; ++i) domain.step();
  CHECK(domain.phases() == std::vector{KeyPhase::Retiring, KeyPhase::Active, KeyPhase::Ready});
}

TEST_CASE("at once means in one step, with the standby") {
  Obedient domain;
  domain.settle();
  const auto change = rotate_now(domain.state, domain.now);
  REQUIRE(change);
  CHECK(change->state.generations.front().phase == KeyPhase::Retiring);
  CHECK(signing_selectors(change->state).front() == "w20260131b");
  const auto again = rotate_now(change->state, domain.now);
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::Denied);
  CHECK_THAT(again.error().detail, Catch::Contains("no standby"));
}

TEST_CASE("old records stay until no message needs them, and private halves until no cache does") {
  Obedient domain;
  domain.settle();
  domain.state = rotate_now(domain.state, domain.now)->state;
  domain.facts.queued->insert("w20260131-ed25519");
  domain.step(30 * kDay);
  CHECK_FALSE(domain.state.generations.front().withdrawing);
  domain.facts.queued->clear();
  domain.step();
  domain.step(7 * kDay - Seconds(1));
  CHECK_FALSE(domain.state.generations.front().withdrawing);
  domain.step(Seconds(1));
  CHECK(domain.state.generations.front().withdrawing);
  CHECK(domain.last.actions.front().kind == Kind::Withdraw);
  domain.step(Seconds(1));
  CHECK(domain.phases().front() == KeyPhase::Withdrawn);
  domain.step(Seconds(299));
  CHECK(domain.phases().front() == KeyPhase::Withdrawn);
  domain.step(Seconds(1));
  CHECK(domain.phases().front() == KeyPhase::Destroyed);
  CHECK_FALSE(domain.facts.made.contains("w20260131"));
}

TEST_CASE("a queue that cannot be looked at keeps old records") {
  Obedient domain;
  domain.settle();
  domain.state = rotate_now(domain.state, domain.now)->state;
  domain.facts.queued.reset();
  domain.step(30 * kDay);
  domain.step(30 * kDay);
  CHECK_FALSE(domain.state.generations.front().withdrawing);
}

TEST_CASE("an active key whose record is gone signs no more, with a standby and without") {
  Obedient domain;
  domain.settle();
  domain.facts.sightings["w20260131"].seen = Seen::Partly;
  domain.step();
  CHECK(signing_selectors(domain.state).front() == "w20260131b");
  CHECK(domain.phases().front() == KeyPhase::Retiring);
  domain.facts.sightings["w20260131b"].seen = Seen::Nowhere;
  domain.step();
  CHECK(signing_selectors(domain.state).empty());
  CHECK_FALSE(domain.last.troubles.empty());
}

TEST_CASE("a revoked key is replaced at once, and its record says that it is revoked") {
  Obedient domain;
  domain.settle();
  const auto change = revoke_keys(domain.state, "w20260131-ed25519", domain.now);
  REQUIRE(change);
  domain.state = change->state;
  CHECK(signing_selectors(domain.state).front() == "w20260131b");
  domain.step(Seconds(1));
  CHECK(std::ranges::count(domain.last.actions, Kind::Revoke, &RotationAction::kind) == 2);
  CHECK(revoke_keys(domain.state, "other", domain.now).error().kind == ErrorKind::NotFound);
}

TEST_CASE("private halves are revealed only where that was chosen, and never while they may be needed") {
  Obedient domain;
  domain.settle();
  CHECK(request_reveal(domain.state, "w20260131", domain.now).error().kind == ErrorKind::Denied);
  domain.state = rotate_now(domain.state, domain.now)->state;
  const auto change = request_reveal(domain.state, "w20260131", domain.now);
  REQUIRE(change);
  domain.state = change->state;
  for (int i = 0; i < 6; ++i) domain.step(8 * kDay);
  CHECK(domain.phases().front() == KeyPhase::Revealed);
}

TEST_CASE("a delegated domain uses its slots again, but only after their keys are destroyed") {
  Obedient domain;
  domain.state.delegation = "dkim.provider.example";
  domain.rules.slots = 2;
  domain.settle();
  CHECK(publication_name(domain.state, "wx1") == "wx1._domainkey.a.example.dkim.provider.example");
  CHECK(signing_selectors(domain.state).front() == "wx1");
  domain.state = rotate_now(domain.state, domain.now)->state;
  domain.step();
  CHECK_THAT(domain.last.troubles.front(), Catch::Contains("all 2 CNAMEs"));
  for (int i = 0; i < 4; ++i) domain.step(8 * kDay);
  for (int i = 0; i < 6; ++i) domain.step();
  CHECK(domain.phases() == std::vector{KeyPhase::Destroyed, KeyPhase::Active, KeyPhase::Ready});
  CHECK(domain.state.generations.back().keys.front().selector == "wx1");
}

TEST_CASE("keys made by hand go on signing, the youngest as active, and rotate from there") {
  Obedient domain;
  const std::vector<std::vector<RotatedKey>> groups = {{{"old", DkimKeyType::Rsa, "v=DKIM1; p=old"}},
                                                       {{"s1", DkimKeyType::Rsa, "v=DKIM1; p=s1"}}};
  const RotationChange change = adopt_keys(domain.state.domain, groups, kNow);
  CHECK(change.transitions.size() == 2);
  domain.state = change.state;
  CHECK(signing_selectors(domain.state) == std::vector<std::string>{"s1"});
  domain.facts.made = {{"old", "v=DKIM1; p=old"}, {"s1", "v=DKIM1; p=s1"}};
  domain.see("s1", "v=DKIM1; p=s1", Seen::Everywhere);
  domain.settle();
  CHECK(domain.phases() == std::vector{KeyPhase::Retiring, KeyPhase::Active, KeyPhase::Ready});
}

TEST_CASE("names of generations never come twice") {
  RotationState state = adopt_keys(*DomainName::parse("a.example"), {}, kNow).state;
  CHECK(name_next_generation(state, {}, 4, kNow)->front().selector == "w20260131");
  CHECK(name_next_generation(state, {{"w20260131-ed25519", "x"}}, 4, kNow)->front().selector == "w20260131b");
  CHECK(add_generation(state, {{"s1", DkimKeyType::Rsa, ""}}, kNow)->state.generations.size() == 1);
  state = add_generation(state, {{"s1", DkimKeyType::Rsa, ""}}, kNow)->state;
  CHECK(add_generation(state, {{"s1", DkimKeyType::Rsa, ""}}, kNow).error().kind == ErrorKind::Conflict);
}

}  // namespace
}  // namespace waxwing
