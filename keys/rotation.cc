#include "keys/rotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "keys/generation_name.h"

namespace waxwing {
namespace {

using Seen = RecordSighting::Seen;
using Kind = RotationAction::Kind;

constexpr std::size_t kMaxFinalGenerations = 64;

// What was seen of a generation: the least that was seen of its keys.
struct GenerationSighting {
  Seen seen = Seen::Unknown;
  WallTime at = WallTime::max();             // of the oldest look
  const RecordSighting* decisive = nullptr;  // the one that decided
};

GenerationSighting look_at(const KeyGeneration& generation, const RotationFacts& facts) {
  GenerationSighting result;
  std::size_t everywhere = 0;
  std::size_t nowhere = 0;
  const RecordSighting* unknown = nullptr;
  const RecordSighting* lacking = nullptr;
  for (const RotatedKey& key : generation.keys) {
    if (key.record.empty()) {  // taken back before it was made: nobody can have it
      nowhere += generation.withdrawing ? 1 : 0;
      continue;
    }
    const auto found = facts.sightings.find(key.selector);
    const bool ours = found != facts.sightings.end() && found->second.record == key.record;
    if (!ours) continue;  // nothing is known of it
    const RecordSighting& sighting = found->second;
    result.at = std::min(result.at, sighting.at);
    result.decisive = &sighting;
    everywhere += sighting.seen == Seen::Everywhere ? 1 : 0;
    nowhere += sighting.seen == Seen::Nowhere ? 1 : 0;
    if (sighting.seen == Seen::Unknown) unknown = &sighting;
    if (sighting.seen == Seen::Partly || sighting.seen == Seen::Nowhere) lacking = &sighting;
  }
  if (everywhere == generation.keys.size()) {
    result.seen = Seen::Everywhere;
  } else if (nowhere == generation.keys.size()) {
    result.seen = Seen::Nowhere;
  } else if (lacking != nullptr) {
    result.seen = Seen::Partly;
    result.decisive = lacking;
  } else {
    result.decisive = unknown;
  }
  return result;
}

/// One step under way.
class Step {
 public:
  Step(RotationState state, const RotationFacts& facts, const RotationRules& rules, WallTime now)
      : facts_(facts), rules_(rules), now_(now), step_{std::move(state), {}, {}, {}, {}} {}

  RotationStep run() {
    note_made_keys();
    for (KeyGeneration& generation : step_.state.generations) {
      const GenerationSighting sighting = look_at(generation, facts_);
      note_ttl(generation);
      advance(generation, sighting);
    }
    promote();
    supply();
    for (KeyGeneration& generation : step_.state.generations) act(generation);
    forget_old();
    return std::move(step_);
  }

 private:
  // A key may be in the store without its record in the state, when a crash came between the two.
  void note_made_keys() {
    for (KeyGeneration& generation : step_.state.generations) {
      if (generation.phase != KeyPhase::Pending) continue;
      for (RotatedKey& key : generation.keys) {
        if (!key.record.empty()) continue;
        const auto found = facts_.made.find(key.selector);
        if (found != facts_.made.end()) key.record = found->second;
      }
    }
  }

  void note_ttl(KeyGeneration& generation) const {
    for (const RotatedKey& key : generation.keys) {
      const auto found = facts_.sightings.find(key.selector);
      if (found == facts_.sightings.end()) continue;
      generation.ttl = std::max(generation.ttl, std::min(found->second.ttl, kMaxTtl));
      generation.negative_ttl = std::max(generation.negative_ttl, std::min(found->second.negative_ttl, kMaxTtl));
    }
  }

  void move(KeyGeneration& generation, KeyPhase to, std::string why, const GenerationSighting& sighting = {}) {
    step_.transitions.push_back({generation.keys.front().selector, generation.phase, to, std::move(why),
                                 sighting.decisive != nullptr ? sighting.decisive->evidence : std::string()});
    generation.phase = to;
    generation.since = now_;
  }

  void wait_until(WallTime time) {
    if (time > now_ && (!step_.next || time < *step_.next)) step_.next = time;
  }

  void trouble(const KeyGeneration& generation, std::string_view sentence, const GenerationSighting& sighting) {
    step_.troubles.push_back(fmt::format("{} {}: {}{}{}", step_.state.domain.str(), generation.keys.front().selector,
                                         sentence, sighting.decisive != nullptr ? ": " : "",
                                         sighting.decisive != nullptr ? sighting.decisive->evidence : ""));
  }

  static bool is_lacking(const GenerationSighting& sighting) {
    return sighting.seen == Seen::Partly || sighting.seen == Seen::Nowhere;
  }

  void advance(KeyGeneration& generation, const GenerationSighting& sighting) {
    switch (generation.phase) {
      case KeyPhase::Pending:
        if (sighting.seen == Seen::Everywhere && sighting.at >= generation.since)
          move(generation, KeyPhase::Published, "every server has the records", sighting);
        break;
      case KeyPhase::Published:
        return advance_published(generation, sighting);
      case KeyPhase::Ready:
        if (is_lacking(sighting) && sighting.at >= generation.since) {
          trouble(generation, "the records of the standby are gone", sighting);
          move(generation, KeyPhase::Pending, "the records are not there any more", sighting);
        }
        break;
      case KeyPhase::Active:
        return judge_active(generation, sighting);
      case KeyPhase::Retiring:
        return advance_retiring(generation, sighting);
      case KeyPhase::Withdrawn:
        return advance_withdrawn(generation, sighting);
      case KeyPhase::Destroyed:
      case KeyPhase::Revealed:
        break;
    }
  }

  void advance_published(KeyGeneration& generation, const GenerationSighting& sighting) {
    const WallTime forgotten = generation.since + generation.negative_ttl;
    wait_until(forgotten);
    if (is_lacking(sighting) && sighting.at >= generation.since) {
      move(generation, KeyPhase::Pending, "the records are not there any more", sighting);
    } else if (sighting.seen == Seen::Everywhere && sighting.at >= forgotten && sighting.at > generation.since) {
      move(generation, KeyPhase::Ready, "seen again after everybody has forgotten that there was none", sighting);
    }
  }

  // With a standby it is promote() that acts.
  void judge_active(KeyGeneration& generation, const GenerationSighting& sighting) {
    if (!is_lacking(sighting) || sighting.at < generation.since) return;
    trouble(generation, "the records of the active key are not in order", sighting);
    if (next_standby() != nullptr)
      move(generation, KeyPhase::Retiring, "its records are not in order, and the standby takes over", sighting);
    else
      move(generation, KeyPhase::Pending, "its records are not in order, and no standby is ready", sighting);
  }

  [[nodiscard]] bool is_taken_back(const KeyGeneration& generation) const {
    return std::ranges::all_of(generation.keys, [&](const RotatedKey& key) {
      return key.record.empty() || facts_.taken_back.contains(key.selector);
    });
  }

  void advance_retiring(KeyGeneration& generation, const GenerationSighting& sighting) {
    if (generation.withdrawing) {
      if (is_taken_back(generation) && sighting.seen == Seen::Nowhere && sighting.at >= *generation.withdrawing)
        move(generation, KeyPhase::Withdrawn, "no server has the records", sighting);
      return;
    }
    if (!facts_.queued) return;
    const bool queued = std::ranges::any_of(
        generation.keys, [&](const RotatedKey& key) { return facts_.queued->contains(key.selector); });
    if (queued) {
      generation.drained.reset();
      return;
    }
    if (!generation.drained) generation.drained = now_;
    const WallTime passed = *generation.drained + rules_.in_flight;
    wait_until(passed);
    if (now_ < passed) return;
    move(generation, KeyPhase::Retiring, "nothing that waits carries it and the time of mail in flight is over");
    generation.withdrawing = now_;
  }

  void advance_withdrawn(KeyGeneration& generation, const GenerationSighting& sighting) {
    const WallTime forgotten = generation.since + std::max(generation.ttl, generation.negative_ttl);
    wait_until(forgotten);
    const bool is_back = sighting.seen == Seen::Everywhere || sighting.seen == Seen::Partly;
    if (is_back && sighting.at >= generation.since) {
      move(generation, KeyPhase::Retiring, "the records are there again", sighting);
      generation.withdrawing = now_;
    } else if (sighting.seen == Seen::Nowhere && sighting.at >= forgotten && sighting.at > generation.since) {
      const bool reveal = rules_.reveal || generation.reveal;
      move(generation, reveal ? KeyPhase::Revealed : KeyPhase::Destroyed, "no cache can hold the records any more",
           sighting);
    }
  }

  [[nodiscard]] bool is_rotation_due(const KeyGeneration& active) {
    if (step_.state.rotation_wanted) return true;
    if (rules_.interval == Seconds(0)) return false;
    wait_until(active.since + rules_.interval);
    return now_ >= active.since + rules_.interval;
  }

  // Seen in this very step; what was seen long ago may have changed.
  [[nodiscard]] bool is_seen_now(const KeyGeneration& generation) const {
    const GenerationSighting sighting = look_at(generation, facts_);
    return sighting.seen == Seen::Everywhere && sighting.at >= generation.since;
  }

  KeyGeneration* first_in(KeyPhase phase) {
    const auto found = std::ranges::find(step_.state.generations, phase, &KeyGeneration::phase);
    return found == step_.state.generations.end() ? nullptr : &*found;
  }

  KeyGeneration* next_standby() {
    const auto next = std::ranges::find_if(step_.state.generations, [&](const KeyGeneration& each) {
      return each.phase == KeyPhase::Ready && is_seen_now(each);
    });
    return next == step_.state.generations.end() ? nullptr : &*next;
  }

  void promote() {
    KeyGeneration* active = first_in(KeyPhase::Active);
    KeyGeneration* next = next_standby();
    due_ = active != nullptr && is_rotation_due(*active);
    if (active == nullptr && next != nullptr) {
      activate(*next, "no other key signs");
    } else if (due_ && next != nullptr &&
               std::ranges::count(step_.state.generations, KeyPhase::Ready, &KeyGeneration::phase) >= 2) {
      move(*active, KeyPhase::Retiring, "rotation");
      activate(*next, "rotation");
      step_.state.rotation_wanted = due_ = false;
    }
  }

  void activate(KeyGeneration& generation, std::string why) {
    move(generation, KeyPhase::Active, std::move(why), look_at(generation, facts_));
  }

  // One standby always, and a second one before the first is used.
  void supply() {
    const auto wanted = due_ || first_in(KeyPhase::Active) == nullptr ? 2 : 1;
    const auto coming = std::ranges::count_if(step_.state.generations,
                                              [](const KeyGeneration& each) { return each.phase < KeyPhase::Active; });
    for (auto count = coming; count < wanted; ++count) {
      auto keys = name_next_generation(step_.state, facts_.made, rules_.slots, now_);
      if (!keys) {
        step_.troubles.push_back(fmt::format("{}: {}", step_.state.domain.str(), keys.error().detail));
        return;
      }
      KeyGeneration generation;
      generation.keys = std::move(*keys);
      generation.since = now_;
      step_.transitions.push_back({generation.keys.front().selector, KeyPhase::Pending, KeyPhase::Pending,
                                   due_ ? "a rotation needs another standby" : "a standby is missing", ""});
      step_.state.generations.push_back(std::move(generation));
    }
  }

  void act(const KeyGeneration& generation) {
    for (const RotatedKey& key : generation.keys) {
      const bool made = facts_.made.contains(key.selector);
      if (generation.phase == KeyPhase::Pending && key.record.empty()) {
        act(Kind::Make, key);
      } else if (generation.phase == KeyPhase::Pending) {
        act(Kind::Publish, key);
      } else if (generation.phase == KeyPhase::Retiring && generation.withdrawing && !key.record.empty()) {
        act(generation.revoked ? Kind::Revoke : Kind::Withdraw, key);
      } else if (generation.phase == KeyPhase::Revealed && made && is_free(key)) {
        act(Kind::Reveal, key);
      } else if (generation.phase == KeyPhase::Destroyed && made && is_free(key)) {
        act(Kind::Destroy, key);
      }
    }
  }

  // A slot may have been given to a younger generation already; its key is not ours to remove.
  [[nodiscard]] bool is_free(const RotatedKey& key) const {
    return find_generation(std::as_const(step_.state), key.selector) == nullptr;
  }

  void act(Kind kind, const RotatedKey& key) { step_.actions.push_back({kind, key.selector, key.type, key.record}); }

  void forget_old() {
    auto& generations = step_.state.generations;
    auto final_count = std::ranges::count_if(generations, [](const auto& each) { return is_final(each.phase); });
    const auto is_forgotten = [&](const KeyGeneration& each) {
      const bool due = std::ranges::any_of(
          each.keys, [&](const RotatedKey& key) { return facts_.made.contains(key.selector) && is_free(key); });
      const bool kept =
          !is_final(each.phase) || due || final_count <= static_cast<std::ptrdiff_t>(kMaxFinalGenerations);
      if (!kept) --final_count;
      return !kept;
    };
    std::erase_if(generations, is_forgotten);
  }

  const RotationFacts& facts_;
  const RotationRules& rules_;
  WallTime now_;
  RotationStep step_;
  bool due_ = false;
};

}  // namespace

RotationStep advance_rotation(RotationState state, const RotationFacts& facts, const RotationRules& rules,
                              WallTime now) {
  return Step(std::move(state), facts, rules, now).run();
}

}  // namespace waxwing
