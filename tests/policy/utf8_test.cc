#include "policy/utf8.h"

#include <catch2/catch.hpp>

#include <string>

namespace waxwing {
namespace {

bool valid_in_pieces(const std::string& octets, std::size_t first, std::size_t second) {
  Utf8Validator validator;
  validator.update(octets.substr(0, first));
  validator.update(octets.substr(first, second - first));
  validator.update(octets.substr(second));
  return validator.is_valid();
}

TEST_CASE("what is UTF-8 as a whole is UTF-8 in pieces, and nothing else is") {
  for (const std::string octets :
       {"", "plain", "a\xc3\xa4z", "\xe2\x82\xac", "\xf0\x9f\x98\x80!", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3",
        "a\xe2\x82", "\xf0\x9f\x98", "\xa4", "\xc3\xc3\xa4", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
        "\xe2\x82z", "\x80\x80\x80\x80"}) {
    for (std::size_t first = 0; first <= octets.size(); ++first) {
      for (std::size_t second = first; second <= octets.size(); ++second) {
        INFO("cut at " << first << " and " << second << " of " << octets.size());
        CHECK(valid_in_pieces(octets, first, second) == is_valid_utf8(octets));
      }
    }
  }
}

TEST_CASE("UTF-8 has no overlong forms, no surrogates and an end") {
  CHECK(is_valid_utf8("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"));
  for (const char* octets :
       {"\xc0\xaf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"})
    CHECK_FALSE(is_valid_utf8(octets));
}

}  // namespace
}  // namespace waxwing
