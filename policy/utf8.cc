#include "policy/utf8.h"

#include <cstddef>
#include <cstdint>

namespace waxwing {
namespace {

// Octets of the sequence that starts here, 0 when it is not one.
std::size_t sequence_length(std::string_view octets) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(octets[i]); };
  const std::uint8_t first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || octets.size() < length) return 0;
  // The second octet rules out overlong forms, surrogates and what lies beyond U+10FFFF.
  const std::uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < least || at(1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

bool is_valid_utf8(std::string_view octets) {
  while (!octets.empty()) {
    const std::size_t length = sequence_length(octets);
    if (length == 0) return false;
    octets.remove_prefix(length);
  }
  return true;
}

}  // namespace waxwing
