#include "relay/egress/egress_pools.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "policy/date_time.h"
#include "relay/egress/weighted_order.h"

namespace waxwing {
namespace {

// The others of a large pool say nothing new.
constexpr std::size_t kSourcesNamed = 3;

bool fits(const PauseRule& rule, const std::string& provider, int code, std::string_view text) {
  return (rule.provider.empty() || rule.provider == provider) && (rule.code == 0 || rule.code == code) &&
         (!rule.text || rule.text->matches(text));
}

}  // namespace

EgressPools::EgressPools(Options options) : options_(std::move(options)) {}

std::size_t EgressPools::pool_index(std::string_view name) const {
  const auto found = std::ranges::find(options_.pools, name, &EgressPool::name);
  return static_cast<std::size_t>(found - options_.pools.begin());
}

std::optional<EgressPools::Obstacle> EgressPools::obstacle(const EgressClaim& claim, std::size_t index,
                                                           const std::string& provider, WallTime now) {
  const EgressSource& source = options_.sources[index];
  if (const EgressPause* pause = pauses_.find(source.name, provider, now)) {
    const std::string who = pause->rule.empty() ? "an operator" : "rule " + pause->rule;
    return Obstacle{pause->until,
                    fmt::format("{} is paused by {} until {}", source.name, who, utc_date_time_text(pause->until))};
  }
  const std::int64_t day = day_of(now);
  const auto allowance = source.warm_up ? source.warm_up->allowance(day) : std::nullopt;
  if (!allowance || claim.place == EgressClaim::Place{index, provider, day}) return std::nullopt;
  switch (ledger_.look(source.name, provider, *allowance, day)) {
    case WarmUpLedger::Place::Free:
      return std::nullopt;
    case WarmUpLedger::Place::Taken:
      return Obstacle{now + kTakenPlaceRetry,
                      fmt::format("messages under way have taken the {} that the warm-up of {} allows today",
                                  *allowance, source.name)};
    case WarmUpLedger::Place::UsedUp:
      break;
  }
  return Obstacle{day_after(now),
                  fmt::format("{} has sent the {} messages that its warm-up allows today", source.name, *allowance)};
}

// As choose(), but nothing is taken.
EgressPools::Choice EgressPools::look(const EgressClaim& claim, const std::string& provider,
                                      std::span<const IpAddress> host, WallTime now) {
  const EgressPool& pool = options_.pools.at(claim.pool);
  Choice choice;
  std::string words;
  std::size_t obstacles = 0;
  for (const std::size_t index : weighted_order(claim.message, pool, options_.sources)) {
    const EgressSource& source = options_.sources[index];
    if (std::ranges::none_of(host, [&source](const IpAddress& address) { return source.reaches(address); })) continue;
    const auto found = obstacle(claim, index, provider, now);
    if (!found) return {index, {}, {}};
    choice.until = std::min(choice.until.value_or(found->until), found->until);
    if (++obstacles <= kSourcesNamed) words += (words.empty() ? "" : ", ") + found->words;
  }
  if (obstacles > kSourcesNamed) words += fmt::format(", and likewise {} more", obstacles - kSourcesNamed);
  choice.reason =
      choice.until ? fmt::format("No source of pool {} may send to {} before {}: {}.", pool.name, provider,
                                 utc_date_time_text(*choice.until), words)
                   : fmt::format("No source of pool {} has an address of the family that {} has.", pool.name, provider);
  return choice;
}

EgressPools::Choice EgressPools::choose(EgressClaim& claim, const std::string& provider,
                                        std::span<const IpAddress> host, WallTime now) {
  const std::lock_guard lock(mutex_);
  Choice choice = look(claim, provider, host, now);
  if (!choice.source) return choice;
  const EgressSource& source = options_.sources[*choice.source];
  const EgressClaim::Place place{*choice.source, provider, day_of(now)};
  if (claim.place == place) return choice;
  let_go(claim, Use::NotSent);
  if (source.warm_up && source.warm_up->allowance(place.day)) {
    ledger_.reserve(source.name, provider, place.day);
    claim.place = place;
  }
  return choice;
}

std::optional<EgressPools::Refusal> EgressPools::on_reply(const EgressClaim& claim, std::size_t source,
                                                          const std::string& provider, std::span<const IpAddress> host,
                                                          int code, std::string_view text, WallTime now) {
  constexpr int kLeastRefusal = 400;
  if (code < kLeastRefusal) return std::nullopt;
  const auto rule = std::ranges::find_if(
      options_.rules, [&](const PauseRule& candidate) { return fits(candidate, provider, code, text); });
  if (rule == options_.rules.end()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  Refusal refusal;
  refusal.pause = {options_.sources.at(source).name, provider, now + rule->pause_for, rule->name,
                   fmt::format("{} {}", code, text)};
  static_cast<Rest&>(refusal) = begin_rest(claim, refusal.pause, provider, host, now);
  return refusal;
}

EgressPools::Rest EgressPools::begin_rest(const EgressClaim& claim, const EgressPause& pause,
                                          const std::string& provider, std::span<const IpAddress> host, WallTime now) {
  Rest rest;
  rest.is_new = pauses_.begin(pause, now);
  const Choice next = look(claim, provider, host, now);
  rest.retry_at = next.source ? now : next.until.value_or(pause.until);
  return rest;
}

EgressPools::Rest EgressPools::rest(const EgressClaim& claim, const EgressPause& pause, const std::string& provider,
                                    std::span<const IpAddress> host, WallTime now) {
  const std::lock_guard lock(mutex_);
  return begin_rest(claim, pause, provider, host, now);
}

void EgressPools::settle(EgressClaim& claim, Use use) {
  const std::lock_guard lock(mutex_);
  let_go(claim, use);
}

void EgressPools::let_go(EgressClaim& claim, Use use) {
  if (!claim.place) return;
  const std::string& source = options_.sources[claim.place->source].name;
  if (use == Use::Sent)
    ledger_.spend(source, claim.place->provider, claim.place->day);
  else
    ledger_.give_back(source, claim.place->provider, claim.place->day);
  claim.place.reset();
}

void EgressPools::pause(const EgressPause& pause, WallTime now) {
  const std::lock_guard lock(mutex_);
  pauses_.end(pause.source, pause.provider);  // an operator may shorten one too
  pauses_.begin(pause, now);
}

void EgressPools::resume(const std::string& source, const std::string& provider) {
  const std::lock_guard lock(mutex_);
  pauses_.end(source, provider);
}

void EgressPools::load(const std::vector<WarmUpUse>& uses, const std::vector<EgressPause>& pauses, WallTime now) {
  const std::lock_guard lock(mutex_);
  ledger_.load(uses, day_of(now));
  pauses_.load(pauses);
}

EgressPools::Changes EgressPools::take_changes() {
  const std::lock_guard lock(mutex_);
  return {ledger_.take_changes(), pauses_.take_changes()};
}

void EgressPools::not_written(const Changes& changes) {
  const std::lock_guard lock(mutex_);
  ledger_.not_written(changes.uses);
  pauses_.not_written(changes.pauses);
}

}  // namespace waxwing
