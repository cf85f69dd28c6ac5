#include "relay/egress/reply_pattern.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace waxwing {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  return ReplyPattern(pattern).matches(text);
}

// By definition, in quadratic time: whether the rest of the pattern matches the rest of the text.
bool matches_by_definition(std::string_view pattern, std::string_view text) {
  std::vector<std::vector<bool>> fits(pattern.size() + 1, std::vector<bool>(text.size() + 1, false));
  for (std::size_t p = pattern.size() + 1; p-- > 0;) {
    for (std::size_t t = text.size() + 1; t-- > 0;) {
      if (p == pattern.size()) {
        fits[p][t] = t == text.size();
      } else if (pattern[p] == '*') {
        fits[p][t] = fits[p + 1][t] || (t < text.size() && fits[p][t + 1]);
      } else {
        fits[p][t] = t < text.size() && pattern[p] == text[t] && fits[p + 1][t + 1];
      }
    }
  }
  return fits[0][0];
}

TEST_CASE("a star stands for anything, nothing included, and all else for itself") {
  CHECK(matches("4.7.28*", "4.7.28 rate limited"));
  CHECK(matches("*Rate Limited*", "4.7.28 our system: rate limited, see https://a.example"));
  CHECK(matches("*", ""));
  CHECK(matches("**", "x"));
  CHECK(matches("", ""));
  CHECK(matches("a*b*c", "abbc"));
  CHECK_FALSE(matches("a*b*c", "acb"));
  CHECK_FALSE(matches("rate", "rate limited"));
  CHECK_FALSE(matches("ab*ba", "aba"));
  CHECK_FALSE(matches("*abab", "ababa"));
  CHECK(matches("*aab*", "aaab"));
}

TEST_CASE("the pattern agrees with its definition on all short texts that could tell") {
  std::mt19937 random(1);
  std::size_t matched = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern;
    std::string text;
    for (std::size_t i = random() % 8; i > 0; --i) pattern += "ab*"[random() % 3];
    for (std::size_t i = random() % 10; i > 0; --i) text += "ab"[random() % 2];
    CAPTURE(pattern, text);
    const bool expected = matches_by_definition(pattern, text);
    REQUIRE(matches(pattern, text) == expected);
    matched += expected ? 1 : 0;
  }
  CHECK(matched > 1'000);
}

}  // namespace
}  // namespace waxwing
