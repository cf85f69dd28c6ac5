#include "tests/keys/rotation_world.h"

#include <algorithm>

namespace waxwing {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 86'400;
constexpr int kStepsToConverge = 80;

std::ptrdiff_t count(const RotationState& state, KeyPhase phase) {
  return std::ranges::count(state.generations, phase, &KeyGeneration::phase);
}

}  // namespace

RotationWorld::RotationWorld(std::uint64_t seed) : dice_(seed + 1) {
  rules.in_flight = Seconds(2 * kDay);
  rules.interval = dice_.one_in(3) ? Seconds(10 * kDay) : Seconds(0);
  rules.reveal = dice_.one_in(4);
  rules.slots = dice_.one_in(2) ? 4 : 12;
  RotationChange begun = adopt_keys(*DomainName::parse("a.example"), {}, now());
  if (!dice_.one_in(6)) begun.state.delegation = "d.example";
  kept_ = std::move(begun.state);
}

void RotationWorld::break_promise(const std::string& which, const std::string& selector) {
  if (broken.empty()) broken = which + ": " + selector;
}

void RotationWorld::happen() {
  constexpr std::array<std::int64_t, 6> kSteps = {5, kMinute, 20 * kMinute, 2 * kHour, 15 * kHour, 2 * kDay};
  now_ += 1 + dice_.below(kSteps.at(static_cast<std::size_t>(dice_.below(kSteps.size()))));
  resolver_fails_ = dice_.one_in(12);
  if (dice_.one_in(10)) silent_until_.at(static_cast<std::size_t>(dice_.below(kServers))) = now_ + dice_.below(kDay);
  sign();
  if (dice_.one_in(6)) command();
  if (dice_.one_in(60)) steal();
  step(Crash::Possible);
  sign();
}

// The relay signs with what the state on disk says, and the message waits in the queue for up to five days.
void RotationWorld::sign() {
  for (const std::string& selector : signing_selectors(*kept_)) {
    ++signatures;
    Record& record = records_[selector];
    for (std::size_t i = 0; i < kServers; ++i) {
      const bool served = record.appears[i] + kNegativeTtl.count() <= now_ && now_ < record.vanishes[i];
      if (!served && !record.stolen) return break_promise("a signature whose record is absent", selector);
    }
    if (record.seen_stolen) return break_promise("a signature although its record was seen to be absent", selector);
    record.queued_until = std::max(record.queued_until, now_ + (dice_.one_in(3) ? dice_.below(5 * kDay) : 0));
    record.needed_until = std::max(record.needed_until, record.queued_until + rules.in_flight.count());
  }
}

void RotationWorld::command() {
  const auto keep = [&](const RotationChange& change) { kept_ = change.state; };
  switch (dice_.below(8)) {
    case 0:
    case 1:
    case 2:
      return keep(request_rotation(*kept_, now()));
    case 3:
    case 4: {
      const auto change = rotate_now(*kept_, now());
      if (!change) return;
      ++rotations;
      has_standby_ = false;  // used, until the next one is ready
      return keep(*change);
    }
    case 5: {
      const auto index = static_cast<std::size_t>(dice_.below(8));
      if (index >= kept_->generations.size()) return;
      const std::string selector = kept_->generations[index].keys.front().selector;
      const auto change = revoke_keys(*kept_, selector, now());
      if (!change) return;
      for (const RotatedKey& key : find_generation(*kept_, selector)->keys) records_[key.selector].revoked = true;
      has_standby_ = false;
      return keep(*change);
    }
    default: {
      if (kept_->generations.empty()) return;
      const auto change = request_reveal(*kept_, kept_->generations.front().keys.front().selector, now());
      if (change) keep(*change);
    }
  }
}

// Somebody else removes a record of ours: no promise holds until that can have been noticed.
void RotationWorld::steal() {
  const auto active = std::ranges::find(kept_->generations, KeyPhase::Active, &KeyGeneration::phase);
  if (active == kept_->generations.end()) return;
  Record& record = records_[active->keys.front().selector];
  record.stolen = true;
  for (auto& time : record.vanishes) time = std::min(time, now_ + dice_.below(kHour));
  has_standby_ = false;
}

RecordSighting RotationWorld::sight(const RotatedKey& key) {
  RecordSighting sighting;
  sighting.at = now();
  sighting.record = key.record;
  sighting.ttl = kTtl;
  sighting.negative_ttl = kNegativeTtl;
  const auto found = records_.find(key.selector);
  std::size_t present = 0;
  std::size_t absent = 0;
  std::size_t silent = resolver_fails_ ? 1 : 0;
  for (std::size_t i = 0; i < kServers; ++i) {
    const bool ours = found != records_.end() && found->second.text == key.record;
    if (silent_until_[i] > now_)
      ++silent;
    else if (ours && found->second.appears[i] <= now_ && now_ < found->second.vanishes[i])
      ++present;
    else
      ++absent;
  }
  if (silent == 0 && absent == 0)
    sighting.seen = RecordSighting::Seen::Everywhere;
  else if (silent == 0 && present == 0)
    sighting.seen = RecordSighting::Seen::Nowhere;
  else
    sighting.seen = absent != 0 ? RecordSighting::Seen::Partly : RecordSighting::Seen::Unknown;
  if (absent != 0 && found != records_.end() && found->second.stolen) missed_.insert(key.selector);
  return sighting;
}

RotationFacts RotationWorld::look() {
  RotationFacts facts;
  facts.made = made_;
  facts.taken_back = taken_back_;
  for (const KeyGeneration& generation : kept_->generations) {
    if (is_final(generation.phase)) continue;
    for (const RotatedKey& key : generation.keys)
      if (!key.record.empty() && (!faults_ || !dice_.one_in(20))) facts.sightings.emplace(key.selector, sight(key));
  }
  if (!faults_ || !dice_.one_in(10)) {
    facts.queued.emplace();
    for (const auto& [selector, record] : records_)
      if (record.queued_until > now_) facts.queued->insert(selector);
  }
  return facts;
}

bool RotationWorld::crash_now(Crash crash) {
  if (crash == Crash::No || !dice_.one_in(15)) return false;
  ++crashes;
  taken_back_.clear();
  return true;
}

// As the driver does it: look, decide, keep, act; what is in memory is lost at a crash.
void RotationWorld::step(Crash crash) {
  missed_.clear();
  const RotationFacts facts = look();
  RotationStep step = advance_rotation(*kept_, facts, rules, now());
  if (crash_now(crash)) return;
  for (const KeyTransition& each : step.transitions) {
    rotations += each.to == KeyPhase::Active && each.from != KeyPhase::Active ? 1 : 0;
    if (each.from == KeyPhase::Active && each.why.starts_with("its records")) has_standby_ = false;
  }
  kept_ = std::move(step.state);
  for (const std::string& selector : missed_) records_[selector].seen_stolen = true;
  judge_standby();
  for (const RotationAction& action : step.actions) {
    if (crash_now(crash)) return;
    perform(action);
  }
}

void RotationWorld::judge_standby() {
  const auto active = count(*kept_, KeyPhase::Active);
  if (active > 1) break_promise("two active keys", "");
  if (count(*kept_, KeyPhase::Ready) > 0 && active == 1)
    has_standby_ = true;
  else if (has_standby_)
    break_promise("no key is ready", kept_->generations.back().keys.front().selector);
}

void RotationWorld::perform(const RotationAction& action) {
  Record& record = records_[action.selector];
  const auto lag = [&] { return !faults_ || dice_.one_in(2) ? 0 : dice_.below(dice_.one_in(4) ? 2 * kDay : kHour); };
  switch (action.kind) {
    case RotationAction::Kind::Make:
      if (!made_.contains(action.selector)) made_[action.selector] = "p=" + std::to_string(++made_count_);
      break;
    case RotationAction::Kind::Publish: {
      const bool there = record.text == action.record &&
                         std::ranges::all_of(record.vanishes, [](std::int64_t time) { return time == kNever; });
      if (there) break;
      record.text = action.record;
      taken_back_.erase(action.selector);
      record.stolen = record.seen_stolen = record.revoked = false;
      for (auto& time : record.appears) time = now_ + lag();
      record.vanishes.fill(kNever);
      break;
    }
    case RotationAction::Kind::Withdraw:
      if (record.needed_until > now_ && !record.revoked && !record.stolen)
        break_promise("withdrawn while somebody may look it up", action.selector);
      [[fallthrough]];
    case RotationAction::Kind::Revoke:
      taken_back_.insert(action.selector);
      if (record.text != action.record) break;
      for (std::size_t i = 0; i < kServers; ++i) {
        // A server that has not heard of the record goes to the newest zone at once.
        record.vanishes[i] = std::min(record.vanishes[i], record.appears[i] > now_ ? now_ : now_ + lag());
        if (record.appears[i] > now_) record.appears[i] = kNever;
      }
      break;
    case RotationAction::Kind::Reveal:
    case RotationAction::Kind::Destroy:
      if (std::ranges::any_of(record.vanishes, [&](std::int64_t time) { return time + kTtl.count() > now_; }) &&
          !record.text.empty())
        break_promise("destroyed while some cache has the record", action.selector);
      made_.erase(action.selector);
      break;
  }
}

void RotationWorld::converge() {
  faults_ = resolver_fails_ = false;
  silent_until_.fill(0);
  rules.interval = Seconds(0);  // a rotation that is due again and again would be no rest
  for (int i = 0; i < kStepsToConverge && broken.empty(); ++i) {
    now_ += i % 2 == 0 ? kHour : 15 * kHour;
    sign();
    step(Crash::No);
  }
  const auto live = std::ranges::count_if(kept_->generations, [](const auto& each) { return !is_final(each.phase); });
  if (count(*kept_, KeyPhase::Active) != 1 || signing_selectors(*kept_).empty())
    break_promise("no key signs in the end", "");
  if (count(*kept_, KeyPhase::Ready) < 1) break_promise("no standby in the end", "");
  if (live != count(*kept_, KeyPhase::Active) + count(*kept_, KeyPhase::Ready)) {
    std::string phases;
    for (const KeyGeneration& each : kept_->generations)
      if (!is_final(each.phase))
        phases += each.keys.front().selector + " " + std::string(key_phase_name(each.phase)) + ", ";
    break_promise("an old key lives for ever", phases);
  }
  for (const auto& [selector, record] : made_)
    if (find_generation(std::as_const(*kept_), selector) == nullptr)
      break_promise("a private half is left over", selector);
  for (const auto& [selector, record] : records_) {
    const bool served = std::ranges::any_of(record.vanishes, [&](std::int64_t time) { return time > now_; });
    if (served && find_generation(std::as_const(*kept_), selector) == nullptr)
      break_promise("a record is left over", selector);
  }
}

}  // namespace waxwing
