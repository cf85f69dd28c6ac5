#include "keys/generation_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace waxwing {
namespace {

std::vector<RotatedKey> pair_of(const std::string& selector) {
  return {{selector, DkimKeyType::Rsa, ""}, {selector + std::string(kEd25519Suffix), DkimKeyType::Ed25519, ""}};
}

bool is_made(const MadeKeys& made, const std::string& selector) {
  return made.contains(selector) || made.contains(selector + std::string(kEd25519Suffix));
}

// Names of the final ones count too: a selector stands for one key for ever.
bool is_taken(const RotationState& state, const MadeKeys& made, const std::string& selector) {
  if (is_made(made, selector)) return true;
  const auto has = [&](const KeyGeneration& generation) {
    return std::ranges::any_of(generation.keys, [&](const RotatedKey& key) {
      return key.selector == selector || key.selector == selector + std::string(kEd25519Suffix);
    });
  };
  return std::ranges::any_of(state.generations, has);
}

std::string day_of(WallTime now) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(now));
  return fmt::format("{:04}{:02}{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()));
}

}  // namespace

std::string slot_name(unsigned number) {
  return fmt::format("wx{}", number);
}

Result<std::vector<RotatedKey>> name_next_generation(const RotationState& state, const MadeKeys& made, unsigned slots,
                                                     WallTime now) {
  if (!state.delegation.empty()) {
    for (unsigned number = 1; number <= slots; ++number) {
      const std::string slot = slot_name(number);
      if (find_generation(state, slot) == nullptr && !is_made(made, slot)) return pair_of(slot);
    }
    return fail(ErrorKind::Exhausted,
                fmt::format("all {} CNAMEs lead to keys that are in use; the next key waits until the oldest one is "
                            "destroyed",
                            slots));
  }
  const std::string day = day_of(now);
  if (!is_taken(state, made, "w" + day)) return pair_of("w" + day);
  for (char letter = 'b'; letter <= 'z'; ++letter) {
    const std::string selector = fmt::format("w{}{}", day, letter);
    if (!is_taken(state, made, selector)) return pair_of(selector);
  }
  return fail(ErrorKind::Exhausted, "all names of this day are taken; the next key is made tomorrow");
}

}  // namespace waxwing
