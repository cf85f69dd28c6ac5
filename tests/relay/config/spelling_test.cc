#include "relay/config/spelling.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

constexpr std::string_view kWords[] = {"hostname", "workers", "mode", "smtp_port", "sts_port"};

TEST_CASE("a wrong, missing, added or swapped letter leads to the word that was meant") {
  CHECK(nearest_word("hostnam", kWords) == "hostname");
  CHECK(nearest_word("hosstname", kWords) == "hostname");
  CHECK(nearest_word("worcers", kWords) == "workers");
  CHECK(nearest_word("wrokers", kWords) == "workers");
  CHECK(nearest_word("stmp_prot", kWords) == "smtp_port");
}

TEST_CASE("a word that is far from all others leads nowhere") {
  CHECK(nearest_word("banana", kWords).empty());
  CHECK(nearest_word("", kWords).empty());
  CHECK(nearest_word("node_x", kWords).empty());
  CHECK(nearest_word(std::string(100'000, 'm'), kWords).empty());
}

}  // namespace
}  // namespace waxwing
