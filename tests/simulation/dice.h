#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "policy/time_point.h"

namespace waxwing {

/// All chance of one simulated history: the same seed gives the same numbers on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : numbers_(seed) {}

  /// 0 to `most` - 1; `most` is at least 1.
  std::uint64_t below(std::uint64_t most) { return numbers_() % most; }
  [[nodiscard]] bool percent(unsigned chance) { return below(100) < chance; }
  /// Both ends included.
  Milliseconds between(Milliseconds least, Milliseconds most) {
    return least + Milliseconds(below(static_cast<std::uint64_t>((most - least).count()) + 1));
  }
  template <class Value>
  const Value& one_of(const std::vector<Value>& values) {
    return values[below(values.size())];
  }

 private:
  std::mt19937_64 numbers_;
};

}  // namespace waxwing
