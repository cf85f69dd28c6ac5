#include "signer/space_reduction.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace waxwing {
namespace {

using Reducer = std::size_t (*)(std::string_view, char*);

std::string reduced(std::string_view octets, Reducer reduce) {
  std::string out(octets.size(), '?');
  out.resize(reduce(octets, out.data()));
  return out;
}

/// RFC 6376 §3.4.4 a., octet by octet.
std::string reference(std::string_view octets) {
  std::string out;
  for (std::size_t i = 0; i < octets.size();) {
    const std::size_t end = std::min(octets.find_first_not_of(" \t", i), octets.size());
    if (end > i && octets.substr(end, 2) != "\r\n") out += ' ';
    if (end < octets.size()) out += octets[end];
    i = end + 1;
  }
  return out;
}

TEST_CASE("runs of white space become one space wherever they stand", "[space_reduction]") {
  const auto reduce = GENERATE(Reducer{reduce_spaces}, Reducer{reduce_spaces_plainly});
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t length = 1; length < 40; ++length) {
      const std::string head(before, 'x');
      const std::string run = std::string(length - 1, ' ') + '\t';
      CHECK(reduced(head + run + "tail of sixteen octets", reduce) == head + " tail of sixteen octets");
      CHECK(reduced(head + run + "\r\ntail of sixteen octets", reduce) == head + "\r\ntail of sixteen octets");
      CHECK(reduced(head + run + "\rtail of sixteen octets", reduce) == head + " \rtail of sixteen octets");
      CHECK(reduced(head + run + "\r\n", reduce) == head + "\r\n");
      CHECK(reduced(head + run + "\r", reduce) == head + " \r");
      CHECK(reduced(head + run + "y", reduce) == head + " y");
    }
  }
}

TEST_CASE("white space of each set of eight octets is reduced as the rule says", "[space_reduction]") {
  const auto reduce = GENERATE(Reducer{reduce_spaces}, Reducer{reduce_spaces_plainly});
  for (unsigned set = 0; set < 0x1'0000; ++set) {
    std::string octets;
    for (unsigned i = 0; i < 16; ++i) octets += (set >> i & 1) != 0 ? ' ' : static_cast<char>('a' + i);
    octets += "\r\nlast";
    REQUIRE(reduced(octets, reduce) == reference(octets));
  }
}

TEST_CASE("random octets are reduced as the rule says", "[space_reduction]") {
  const auto reduce = GENERATE(Reducer{reduce_spaces}, Reducer{reduce_spaces_plainly});
  std::mt19937 random(3'404);  // NOLINT: a fixed seed
  const std::string alphabet = "  \t\t\r\n\xa0\x89xy";
  for (int round = 0; round < 5'000; ++round) {
    std::string octets;
    for (std::size_t i = random() % 100; i > 0; --i) {
      if (random() % 5 == 0) {
        octets += "\r\n";
      } else {
        octets += alphabet[random() % alphabet.size()];
      }
    }
    octets += 'z';
    REQUIRE(reduced(octets, reduce) == reference(octets));
  }
}

}  // namespace
}  // namespace waxwing
