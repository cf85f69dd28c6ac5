#pragma once

#include <cstdint>

namespace waxwing {

/// Mixes the bits of a number well: numbers that differ little give results that have nothing in common, the same on
/// every machine and after every restart. For spreading things; nothing that must not be guessed may rest on it.
/// @source  G. Steele, D. Lea, C. Flood: Fast Splittable Pseudorandom Number Generators (2014), SplitMix64
[[nodiscard]] constexpr std::uint64_t split_mix(std::uint64_t seed) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace waxwing
