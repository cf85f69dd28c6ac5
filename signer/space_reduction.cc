#include "signer/space_reduction.h"

#include <array>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

#include "signer/space_scan.h"

namespace waxwing {
namespace {

/// Not find_first_not_of(), which calls memchr for each octet.
std::string_view without_leading_space(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && (text[count] == ' ' || text[count] == '\t')) ++count;
  return text.substr(count);
}

#if defined(__x86_64__)

/// How to move those of eight octets together that stay.
struct Packing {
  std::array<std::uint8_t, 8> places;  ///< of the octets that stay, in order; the rest is not used
  std::uint8_t count;
};

/// By the set of dropped octets: bit 0 is the first octet in memory.
constexpr auto kPackings = [] {
  std::array<Packing, 256> table{};
  for (unsigned dropped = 0; dropped < table.size(); ++dropped) {
    for (std::uint8_t place = 0; place < 8; ++place) {
      if ((dropped >> place & 1) == 0) table[dropped].places[table[dropped].count++] = place;
    }
  }
  return table;
}();

__m128i load(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

__m128i equal(__m128i octets, char c) {
  return _mm_cmpeq_epi8(octets, _mm_set1_epi8(c));
}

/// Writes eight octets, of which those behind the kept ones are written again by what comes next.
__attribute__((target("ssse3"))) char* put_packed(__m128i octets, const Packing& packing, char* out) {
  const __m128i places = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(packing.places.data()));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_shuffle_epi8(octets, places));
  return out + packing.count;
}

/// Sixteen octets at a time without a branch: where white space is hostile, no branch could be predicted.
__attribute__((target("ssse3"))) std::size_t reduce_by_shuffles(std::string_view octets, char* out) {
  char* const begin = out;
  std::size_t i = 0;
  for (; i + sizeof(__m128i) + 2 <= octets.size(); i += sizeof(__m128i)) {
    const __m128i here = load(octets.data() + i);
    const __m128i next = load(octets.data() + i + 1);
    const __m128i line_end = _mm_and_si128(equal(next, '\r'), equal(load(octets.data() + i + 2), '\n'));
    const __m128i space = _mm_or_si128(equal(here, ' '), equal(here, '\t'));
    const __m128i ended = _mm_or_si128(_mm_or_si128(equal(next, ' '), equal(next, '\t')), line_end);
    const __m128i changed = _mm_or_si128(_mm_and_si128(space, _mm_set1_epi8(' ')), _mm_andnot_si128(space, here));
    const auto dropped = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(space, ended)));
    out = put_packed(changed, kPackings[dropped & 0xFF], out);
    out = put_packed(_mm_srli_si128(changed, 8), kPackings[dropped >> 8], out);
  }
  return static_cast<std::size_t>(out - begin) + reduce_spaces_plainly(octets.substr(i), out);
}

#endif

}  // namespace

std::size_t reduce_spaces_plainly(std::string_view octets, char* out) {
  char* const begin = out;
  while (!octets.empty()) {
    const std::size_t clean = find_reducible_space(octets);
    std::memcpy(out, octets.data(), clean);
    out += clean;
    octets.remove_prefix(clean);
    if (octets.empty()) break;
    octets = without_leading_space(octets);
    if (!octets.starts_with("\r\n")) *out++ = ' ';
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t reduce_spaces(std::string_view octets, char* out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("ssse3")) return reduce_by_shuffles(octets, out);
#endif
  return reduce_spaces_plainly(octets, out);
}

}  // namespace waxwing
