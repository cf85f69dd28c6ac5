#include "keys/rotation_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

void note(RotationChange& change, KeyGeneration& generation, KeyPhase to, std::string why, WallTime now) {
  change.transitions.push_back({generation.keys.front().selector, generation.phase, to, std::move(why), ""});
  if (generation.phase != to) generation.since = now;
  generation.phase = to;
}

KeyGeneration* first_in(RotationState& state, KeyPhase phase) {
  const auto found = std::ranges::find(state.generations, phase, &KeyGeneration::phase);
  return found == state.generations.end() ? nullptr : &*found;
}

tl::unexpected<Error> no_such_key(const RotationState& state, std::string_view selector) {
  return fail(ErrorKind::NotFound,
              fmt::format("{} has no key of selector {} that lives; \"waxwing keys show {}\" lists them",
                          state.domain.str(), selector, state.domain.str()));
}

}  // namespace

RotationChange adopt_keys(const DomainName& domain, std::vector<std::vector<RotatedKey>> groups, WallTime now) {
  RotationChange change{{domain, "", 0, false, {}}, {}};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    KeyGeneration generation;
    generation.keys = std::move(groups[i]);
    const bool youngest = i + 1 == groups.size();
    note(change, generation, youngest ? KeyPhase::Active : KeyPhase::Retiring,
         youngest ? "made by hand, and signs as before" : "made by hand, and younger keys are there", now);
    change.state.generations.push_back(std::move(generation));
  }
  return change;
}

Result<RotationChange> add_generation(RotationState state, std::vector<RotatedKey> keys, WallTime now) {
  for (const RotatedKey& key : keys) {
    if (find_generation(state, key.selector) == nullptr) continue;
    return fail(ErrorKind::Conflict, fmt::format("{} has a key of selector {} already; choose another selector",
                                                 state.domain.str(), key.selector));
  }
  RotationChange change{std::move(state), {}};
  KeyGeneration generation;
  generation.keys = std::move(keys);
  generation.since = now;
  note(change, generation, KeyPhase::Pending, "made by the operator", now);
  change.state.generations.push_back(std::move(generation));
  return change;
}

RotationChange request_rotation(RotationState state, WallTime now) {
  RotationChange change{std::move(state), {}};
  KeyGeneration* active = first_in(change.state, KeyPhase::Active);
  if (change.state.rotation_wanted || active == nullptr) return change;  // without an active key, the next becomes it
  note(change, *active, KeyPhase::Active, "the operator asks for a rotation", now);
  change.state.rotation_wanted = true;
  return change;
}

Result<RotationChange> rotate_now(RotationState state, WallTime now) {
  KeyGeneration* standby = first_in(state, KeyPhase::Ready);
  if (standby == nullptr) {
    return fail(ErrorKind::Denied,
                fmt::format("{0} has no standby that is proven, so nothing can take over at once; \"waxwing keys show "
                            "{0}\" says what it waits for",
                            state.domain.str()));
  }
  const std::string selector = standby->keys.front().selector;
  RotationChange change{std::move(state), {}};
  if (KeyGeneration* active = first_in(change.state, KeyPhase::Active))
    note(change, *active, KeyPhase::Retiring, "the operator rotates at once", now);
  note(change, *find_generation(change.state, selector), KeyPhase::Active, "the operator rotates at once", now);
  change.state.rotation_wanted = false;
  return change;
}

Result<RotationChange> revoke_keys(RotationState state, std::string_view selector, WallTime now) {
  KeyGeneration* generation = find_generation(state, selector);
  if (generation == nullptr) return no_such_key(state, selector);
  const std::string name = generation->keys.front().selector;
  const bool signs = generation->phase == KeyPhase::Active;
  RotationChange change{std::move(state), {}};
  if (signs) {
    if (KeyGeneration* standby = first_in(change.state, KeyPhase::Ready))
      note(change, *standby, KeyPhase::Active, "the key before it is revoked", now);
  }
  KeyGeneration& revoked = *find_generation(change.state, name);
  note(change, revoked, KeyPhase::Retiring, "revoked by the operator", now);
  revoked.revoked = true;
  revoked.withdrawing = now;
  return change;
}

Result<RotationChange> request_reveal(RotationState state, std::string_view selector, WallTime now) {
  KeyGeneration* generation = find_generation(state, selector);
  if (generation == nullptr) return no_such_key(state, selector);
  if (generation->phase != KeyPhase::Retiring && generation->phase != KeyPhase::Withdrawn) {
    return fail(ErrorKind::Denied, fmt::format("the key {} of {} is {}, and whoever reads it could sign; rotate first",
                                               selector, state.domain.str(), key_phase_name(generation->phase)));
  }
  const std::string name = generation->keys.front().selector;
  RotationChange change{std::move(state), {}};
  KeyGeneration& revealed = *find_generation(change.state, name);
  note(change, revealed, revealed.phase, "to be revealed in the end, as the operator asks", now);
  revealed.reveal = true;
  return change;
}

}  // namespace waxwing
