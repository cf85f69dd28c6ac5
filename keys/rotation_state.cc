#include "keys/rotation_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace waxwing {
namespace {

constexpr std::array<std::string_view, 8> kPhaseNames = {"pending",  "published", "ready",     "active",
                                                         "retiring", "withdrawn", "destroyed", "revealed"};

}  // namespace

std::string_view key_phase_name(KeyPhase phase) {
  return kPhaseNames.at(static_cast<std::size_t>(phase));
}

std::optional<KeyPhase> parse_key_phase(std::string_view text) {
  const auto found = std::ranges::find(kPhaseNames, text);
  if (found == kPhaseNames.end()) return std::nullopt;
  return static_cast<KeyPhase>(found - kPhaseNames.begin());
}

const KeyGeneration* find_generation(const RotationState& state, std::string_view selector) {
  for (const KeyGeneration& generation : state.generations) {
    if (is_final(generation.phase)) continue;
    if (std::ranges::find(generation.keys, selector, &RotatedKey::selector) != generation.keys.end())
      return &generation;
  }
  return nullptr;
}

KeyGeneration* find_generation(RotationState& state, std::string_view selector) {
  return const_cast<KeyGeneration*>(find_generation(static_cast<const RotationState&>(state), selector));
}

std::vector<std::string> signing_selectors(const RotationState& state) {
  std::vector<std::string> selectors;
  for (const KeyGeneration& generation : state.generations) {
    if (generation.phase != KeyPhase::Active) continue;
    for (const RotatedKey& key : generation.keys) selectors.push_back(key.selector);
  }
  return selectors;
}

std::string publication_name(const RotationState& state, std::string_view selector) {
  std::string name = fmt::format("{}._domainkey.{}", selector, state.domain.str());
  if (!state.delegation.empty()) name += "." + state.delegation;
  return name;
}

}  // namespace waxwing
