#include "signer/space_scan.h"

#include <cstdint>
#include <cstring>

namespace waxwing {
namespace {

using Word = std::uint64_t;
constexpr Word kLowBits = 0x7f7f7f7f7f7f7f7f;

constexpr Word repeat(char c) {
  return 0x0101010101010101 * static_cast<unsigned char>(c);
}

Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The highest bit of each octet of the result is set where `word` has `c`, exactly: no carry crosses an octet.
Word mark(Word word, char c) {
  const Word difference = word ^ repeat(c);
  return ~(((difference & kLowBits) + kLowBits) | difference | kLowBits);
}

bool reducible_at(std::string_view octets, std::size_t i) {
  if (octets[i] == '\t') return true;
  if (octets[i] != ' ') return false;
  return i + 1 == octets.size() || octets[i + 1] == ' ' || octets[i + 1] == '\t' || octets[i + 1] == '\r';
}

}  // namespace

std::size_t find_reducible_space(std::string_view octets) {
  std::size_t i = 0;
  for (; i + sizeof(Word) < octets.size(); i += sizeof(Word)) {
    const Word here = load(octets.data() + i);
    const Word next = load(octets.data() + i + 1);
    const Word spaces = mark(here, ' ');
    if ((mark(here, '\t') | (spaces & (mark(next, ' ') | mark(next, '\t') | mark(next, '\r')))) != 0) break;
  }
  while (i < octets.size() && !reducible_at(octets, i)) ++i;
  return i;
}

}  // namespace waxwing
