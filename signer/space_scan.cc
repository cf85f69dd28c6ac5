#include "signer/space_scan.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace waxwing {
namespace {

// Compilers turn this type into SSE2, NEON or plain words, whatever the machine has.
using Octet = unsigned char;
using Octets = Octet __attribute__((vector_size(16)));
constexpr Octet kSpace = ' ';
constexpr Octet kTab = '\t';
constexpr Octet kReturn = '\r';

Octets load(const char* from) {
  Octets octets;
  std::memcpy(&octets, from, sizeof octets);
  return octets;
}

/// Index in memory of the first octet that is not zero; `word` is not zero.
std::size_t first_octet(std::uint64_t word) {
  const int bits = std::endian::native == std::endian::little ? std::countr_zero(word) : std::countl_zero(word);
  return static_cast<std::size_t>(bits) / 8;
}

bool reducible_at(std::string_view octets, std::size_t i) {
  if (octets[i] == '\t') return true;
  if (octets[i] != ' ') return false;
  return i + 1 == octets.size() || octets[i + 1] == ' ' || octets[i + 1] == '\t' || octets[i + 1] == '\r';
}

}  // namespace

std::size_t find_reducible_space(std::string_view octets) {
  std::size_t i = 0;
  for (; i + sizeof(Octets) < octets.size(); i += sizeof(Octets)) {
    const Octets here = load(octets.data() + i);
    const Octets next = load(octets.data() + i + 1);
    const auto found = (here == kTab) | ((here == kSpace) & ((next == kSpace) | (next == kTab) | (next == kReturn)));
    const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(found);
    if (words[0] != 0) return i + first_octet(words[0]);
    if (words[1] != 0) return i + sizeof(words[0]) + first_octet(words[1]);
  }
  while (i < octets.size() && !reducible_at(octets, i)) ++i;
  return i;
}

}  // namespace waxwing
