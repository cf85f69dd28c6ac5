#include "relay/egress/egress_pools.h"

#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "relay/egress/weighted_order.h"

namespace waxwing {
namespace {

const WallTime kMidnight = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);
const WallTime kNow = kMidnight + std::chrono::hours(9);
const std::string kProvider = "mail.example";

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

const std::vector<IpAddress> kIpv4Host = {ip("192.0.2.80")};
const std::vector<IpAddress> kIpv6Host = {ip("2001:db8::80")};
const std::vector<IpAddress> kBothHost = {ip("2001:db8::80"), ip("192.0.2.80")};

EgressSource source(const std::string& name, std::vector<std::string> addresses = {"192.0.2.1"}) {
  EgressSource result{name, name + ".example", {}};
  for (const std::string& address : addresses) result.addresses.push_back(ip(address));
  return result;
}

EgressPools::Options two_sources() {
  return {{source("a"), source("b")}, {{"all", {{0, 1}, {1, 1}}}}, {}};
}

// A message that prefers that source.
EgressClaim claim_for(const EgressPools::Options& options, std::size_t preferred) {
  for (std::uint64_t message = 1;; ++message) {
    if (weighted_order(message, options.pools[0], options.sources).front() == preferred) return {message, 0};
  }
}

TEST_CASE("each source gets mail in proportion to its weight") {
  const std::vector<EgressSource> sources = {source("a"), source("b"), source("c"), source("d")};
  const EgressPool pool{"all", {{0, 1}, {1, 2}, {2, 7}, {3, 90}}};
  std::array<double, 4> first{};
  std::mt19937_64 random(1);
  constexpr int kMessages = 100'000;
  for (int i = 0; i < kMessages; ++i) ++first.at(weighted_order(random(), pool, sources).front());
  const std::array<double, 4> expected = {0.01, 0.02, 0.07, 0.90};
  for (std::size_t i = 0; i < 4; ++i) CHECK(first.at(i) / kMessages == Approx(expected.at(i)).margin(0.003));
}

TEST_CASE("ids that follow one another are spread as random ones are") {
  const EgressPools::Options options = two_sources();
  int first = 0;
  for (std::uint64_t message = 0; message < 10'000; ++message)
    first += weighted_order(message, options.pools[0], options.sources).front() == 0 ? 1 : 0;
  CHECK(first > 4'800);
  CHECK(first < 5'200);
}

TEST_CASE("a message keeps to its source, and a source that joins takes only its share of the others") {
  const std::vector<EgressSource> sources = {source("a"), source("b"), source("c")};
  const EgressPool two{"all", {{0, 1}, {1, 1}}};
  const EgressPool three{"all", {{0, 1}, {1, 1}, {2, 1}}};
  for (std::uint64_t message = 0; message < 1'000; ++message) {
    const auto before = weighted_order(message, two, sources);
    CHECK(weighted_order(message, two, sources) == before);
    auto after = weighted_order(message, three, sources);
    std::erase(after, 2);
    CHECK(after == before);
  }
}

TEST_CASE("a reply that a rule names makes the source rest at that provider alone, and another takes over") {
  EgressPools::Options options = two_sources();
  options.rules = {{"rate", kProvider, 421, ReplyPattern("4.7.28*"), Seconds(3'600)}};
  EgressPools pools(options);
  EgressClaim claim = claim_for(options, 0);
  REQUIRE(pools.choose(claim, kProvider, kIpv4Host, kNow).source == 0);
  CHECK_FALSE(pools.on_reply(claim, 0, kProvider, kIpv4Host, 421, "4.3.2 busy", kNow));
  CHECK_FALSE(pools.on_reply(claim, 0, kProvider, kIpv4Host, 450, "4.7.28 slow down", kNow));
  CHECK_FALSE(pools.on_reply(claim, 0, "other.example", kIpv4Host, 421, "4.7.28 slow down", kNow));
  const auto refusal = pools.on_reply(claim, 0, kProvider, kIpv4Host, 421, "4.7.28 slow down", kNow);
  REQUIRE(refusal);
  CHECK(refusal->is_new);
  CHECK(refusal->pause == EgressPause{"a", kProvider, kNow + Seconds(3'600), "rate", "421 4.7.28 slow down"});
  CHECK(refusal->retry_at == kNow);
  CHECK(pools.choose(claim, kProvider, kIpv4Host, kNow).source == 1);
  CHECK(pools.choose(claim, "other.example", kIpv4Host, kNow).source == 0);
  CHECK(pools.choose(claim, kProvider, kIpv4Host, kNow + Seconds(3'600)).source == 0);
  CHECK_FALSE(pools.on_reply(claim, 0, kProvider, kIpv4Host, 421, "4.7.28 slow down", kNow + Seconds(1))->is_new);
}

TEST_CASE("when all sources rest, the message waits for the first of them, and is told why") {
  EgressPools::Options options = two_sources();
  options.rules = {{"long", "", 0, ReplyPattern("*long*"), Seconds(7'200)}, {"short", "", 450, {}, Seconds(600)}};
  EgressPools pools(options);
  EgressClaim claim = claim_for(options, 0);
  REQUIRE(pools.on_reply(claim, 0, kProvider, kIpv4Host, 554, "5.7.1 for long", kNow));
  const auto last = pools.on_reply(claim, 1, kProvider, kIpv4Host, 450, "later", kNow);
  REQUIRE(last);
  CHECK(last->retry_at == kNow + Seconds(600));
  const auto choice = pools.choose(claim, kProvider, kIpv4Host, kNow);
  CHECK_FALSE(choice.source);
  CHECK(choice.until == kNow + Seconds(600));
  CHECK(choice.reason ==
        "No source of pool all may send to mail.example before 2026-11-26T09:10:00Z: a is paused by rule long until "
        "2026-11-26T11:00:00Z, b is paused by rule short until 2026-11-26T09:10:00Z.");
}

TEST_CASE("an operator pauses a source at one provider or at all, for as long as he says, and ends it") {
  EgressPools::Options options = two_sources();
  options.pools[0].members.pop_back();
  EgressPools pools(options);
  EgressClaim claim{1, 0};
  pools.pause({"a", "", kNow + Seconds(60), "", "moves house"}, kNow);
  const auto choice = pools.choose(claim, kProvider, kIpv4Host, kNow);
  CHECK_FALSE(choice.source);
  CHECK(choice.reason.find("a is paused by an operator until") != std::string::npos);
  pools.resume("a", "");
  CHECK(pools.choose(claim, kProvider, kIpv4Host, kNow).source == 0);
  pools.pause({"a", kProvider, kNow + Seconds(600), "", "x"}, kNow);
  pools.pause({"a", kProvider, kNow + Seconds(60), "", "shorter"}, kNow);
  CHECK(pools.choose(claim, "other.example", kIpv4Host, kNow).source == 0);
  CHECK_FALSE(pools.choose(claim, kProvider, kIpv4Host, kNow).source);
  CHECK(pools.choose(claim, kProvider, kIpv4Host, kNow + Seconds(60)).source == 0);
}

TEST_CASE("a source without an address of a host's family is not used for it") {
  EgressPools::Options options = two_sources();
  options.sources[1].addresses = {ip("2001:db8::1")};
  EgressPools pools(options);
  EgressClaim claim = claim_for(options, 0);
  CHECK(pools.choose(claim, kProvider, kIpv6Host, kNow).source == 1);
  CHECK(pools.choose(claim, kProvider, kIpv4Host, kNow).source == 0);
  CHECK(pools.choose(claim, kProvider, kBothHost, kNow).source == 0);
  options.pools[0].members.pop_back();
  EgressPools one(options);
  const auto choice = one.choose(claim, kProvider, kIpv6Host, kNow);
  CHECK_FALSE(choice.source);
  CHECK_FALSE(choice.until);
  CHECK(choice.reason.find("has an address of the family") != std::string::npos);
  options.sources[0].binds_always = false;
  EgressPools old(options);
  CHECK(old.choose(claim, kProvider, kIpv6Host, kNow).source == 0);
}

TEST_CASE("a warm-up that is used up for the day leaves the message to others, and then until midnight") {
  EgressPools::Options options = two_sources();
  for (EgressSource& each : options.sources) each.warm_up = WarmUp{kMidnight, {1, 2}};
  EgressPools pools(options);
  EgressClaim first = claim_for(options, 0);
  EgressClaim second = first;
  EgressClaim third = first;
  REQUIRE(pools.choose(first, kProvider, kIpv4Host, kNow).source == 0);
  CHECK(pools.choose(first, kProvider, kIpv4Host, kNow).source == 0);  // its own place
  CHECK(pools.choose(second, kProvider, kIpv4Host, kNow).source == 1);
  CHECK(pools.choose(third, kProvider, kIpv4Host, kNow).until == kNow + kTakenPlaceRetry);
  pools.settle(first, EgressPools::Use::Sent);
  pools.settle(second, EgressPools::Use::NotSent);
  CHECK(pools.choose(second, kProvider, kIpv4Host, kNow).source == 1);
  pools.settle(second, EgressPools::Use::Sent);
  const auto choice = pools.choose(third, kProvider, kIpv4Host, kNow);
  CHECK_FALSE(choice.source);
  CHECK(choice.until == kMidnight + std::chrono::days(1));
  CHECK(choice.reason.find("has sent the 1 messages that its warm-up allows today") != std::string::npos);
  CHECK(pools.choose(third, "other.example", kIpv4Host, kNow).source == 0);
  CHECK(pools.choose(third, kProvider, kIpv4Host, kMidnight + std::chrono::days(1)).source == 0);
}

TEST_CASE("what is used and who rests survives by its changes") {
  EgressPools::Options options = two_sources();
  options.sources[0].warm_up = WarmUp{kMidnight, {1}};
  options.rules = {{"rate", "", 450, {}, Seconds(600)}};
  EgressPools before(options);
  EgressClaim claim = claim_for(options, 0);
  REQUIRE(before.choose(claim, kProvider, kIpv4Host, kNow).source == 0);
  before.settle(claim, EgressPools::Use::Sent);
  REQUIRE(before.on_reply(claim, 1, kProvider, kIpv4Host, 450, "later", kNow));
  const EgressPools::Changes changes = before.take_changes();
  CHECK(before.take_changes().empty());
  EgressPools after(options);
  after.load(changes.uses, changes.pauses.begun, kNow);
  CHECK_FALSE(after.choose(claim, kProvider, kIpv4Host, kNow).source);
  CHECK(after.choose(claim, kProvider, kIpv4Host, kNow + Seconds(600)).source == 1);
  after.resume("b", kProvider);
  CHECK(after.take_changes().pauses.ended == std::vector<std::pair<std::string, std::string>>{{"b", kProvider}});
}

TEST_CASE(
    "whatever happens, no provider gets more in a day than the warm-up allows, and no source that rests is chosen") {
  std::mt19937_64 random(7);
  for (int world = 0; world < 200; ++world) {
    EgressPools::Options options;
    const std::size_t count = 1 + random() % 4;
    EgressPool pool{"all", {}};
    for (std::size_t i = 0; i < count; ++i) {
      options.sources.push_back(source(std::string(1, static_cast<char>('a' + i))));
      options.sources.back().warm_up = WarmUp{kMidnight, {1 + random() % 5, 1 + random() % 9}};
      pool.members.push_back({i, 1 + random() % 5});
    }
    options.pools = {pool};
    options.rules = {{"rate", "", 450, {}, Seconds(60 + random() % 20'000)}};
    EgressPools pools(options);
    std::map<std::pair<std::size_t, std::int64_t>, std::uint64_t> sent;
    std::map<std::size_t, WallTime> rests_until;
    std::vector<std::pair<EgressClaim, std::size_t>> under_way;
    WallTime now = kNow;
    for (int step = 0; step < 300; ++step) {
      now += Seconds(random() % 600);
      const std::uint64_t dice = random() % 10;
      if (dice < 5) {
        EgressClaim claim{random(), 0};
        const auto choice = pools.choose(claim, kProvider, kIpv4Host, now);
        if (!choice.source) {
          REQUIRE(choice.until);
          REQUIRE(*choice.until > now);
          continue;
        }
        REQUIRE(rests_until[*choice.source] <= now);
        under_way.emplace_back(claim, *choice.source);
      } else if (!under_way.empty()) {
        std::swap(under_way[random() % under_way.size()], under_way.back());
        auto [claim, chosen] = under_way.back();
        under_way.pop_back();
        const auto place = claim.place;
        if (dice == 9) {
          const auto refusal = pools.on_reply(claim, chosen, kProvider, kIpv4Host, 450, "x", now);
          REQUIRE(refusal);
          rests_until[chosen] = std::max(rests_until[chosen], refusal->pause.until);
        }
        const bool is_sent = dice < 8 || dice == 9;
        pools.settle(claim, is_sent ? EgressPools::Use::Sent : EgressPools::Use::NotSent);
        if (is_sent && place) ++sent[{chosen, place->day}];
      }
    }
    for (const auto& [key, messages] : sent)
      CHECK(messages <= options.sources[key.first].warm_up->allowance(key.second).value_or(UINT64_MAX));
    CHECK_FALSE(sent.empty());
  }
}

}  // namespace
}  // namespace waxwing
