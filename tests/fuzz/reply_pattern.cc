// Whatever pattern and text hold, the answer is the one of the definition: a star stands for any octets, all else for
// itself in either case. Input: the pattern up to the first line feed, then the text.

#include "relay/egress/reply_pattern.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "policy/ascii.h"
#include "tests/fuzz/finding.h"

namespace {

constexpr std::size_t kMaxOctets = 600;  // the definition takes quadratic time

// From the end: whether what is left of the pattern matches each end of the text.
bool matches_by_definition(std::string_view pattern, std::string_view text) {
  std::vector<bool> ends(text.size() + 1, false);
  ends[text.size()] = true;
  for (std::size_t p = pattern.size(); p-- > 0;) {
    std::vector<bool> longer(text.size() + 1, false);
    for (std::size_t t = text.size() + 1; t-- > 0;) {
      const bool more = t < text.size();
      longer[t] = pattern[p] == '*'
                      ? ends[t] || (more && longer[t + 1])
                      : more && waxwing::ascii_lower(pattern[p]) == waxwing::ascii_lower(text[t]) && ends[t + 1];
    }
    ends = longer;
  }
  return ends[0];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos || size > kMaxOctets) return 0;
  const std::string_view pattern = input.substr(0, end);
  const std::string_view text = input.substr(end + 1);
  waxwing::fuzz::require(waxwing::ReplyPattern(pattern).matches(text) == matches_by_definition(pattern, text),
                         "a pattern matches what its definition says");
  return 0;
}
