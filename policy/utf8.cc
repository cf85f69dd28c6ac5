#include "policy/utf8.h"

#include <cstddef>
#include <cstdint>

namespace waxwing {
namespace {

bool is_continuation(char octet) {
  return (static_cast<std::uint8_t>(octet) & 0xc0) == 0x80;
}

// What the first octet of a sequence says of its length, whether or not the sequence is one.
std::size_t announced_length(char octet) {
  const auto first = static_cast<std::uint8_t>(octet);
  return first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

// Octets at the end that begin a sequence and do not complete it.
std::size_t cut_off_octets(std::string_view octets) {
  for (std::size_t back = 1; back <= 3 && back <= octets.size(); ++back) {
    const char octet = octets[octets.size() - back];
    if (!is_continuation(octet)) return announced_length(octet) > back ? back : 0;
  }
  return 0;
}

// Octets of the sequence that starts here, 0 when it is not one.
std::size_t sequence_length(std::string_view octets) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(octets[i]); };
  const std::uint8_t first = at(0);
  const std::size_t length = announced_length(octets[0]);
  if (length == 1) return 1;
  if (first < 0xc2 || first > 0xf4 || octets.size() < length) return 0;
  // The second octet rules out overlong forms, surrogates and what lies beyond U+10FFFF.
  const std::uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < least || at(1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!is_continuation(octets[i])) return 0;
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

void Utf8Validator::update(std::string_view octets) {
  while (valid_ && !cut_off_.empty() && !octets.empty()) {
    cut_off_ += octets.front();
    octets.remove_prefix(1);
    if (cut_off_.size() < announced_length(cut_off_.front())) continue;
    valid_ = is_valid_utf8(cut_off_);
    cut_off_.clear();
  }
  if (!valid_ || octets.empty()) return;
  const std::size_t whole = octets.size() - cut_off_octets(octets);
  valid_ = is_valid_utf8(octets.substr(0, whole));
  cut_off_ = octets.substr(whole);
}

}  // namespace waxwing
