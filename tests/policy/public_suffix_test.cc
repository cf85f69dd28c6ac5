#include "policy/public_suffix.h"

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

std::string registrable(const PublicSuffixList& list, std::string_view name) {
  const auto found = list.registrable_domain(DomainName::parse(name).value());
  return found ? found->str() : "none";
}

}  // namespace

TEST_CASE("a registrable domain is a public suffix and one label") {
  const auto list =
      PublicSuffixList::parse("// words\nexample\nco.example\n*.wild.example\n!free.wild.example\n公司.cn\n");
  REQUIRE(list);
  CHECK(registrable(*list, "a.b.shop.example") == "shop.example");
  CHECK(registrable(*list, "b.shop.co.example") == "shop.co.example");
  CHECK(registrable(*list, "co.example") == "none");
  CHECK(registrable(*list, "x.y.z.wild.example") == "y.z.wild.example");
  CHECK(registrable(*list, "a.free.wild.example") == "free.wild.example");
  CHECK(registrable(*list, "a.shishi.xn--55qx5d.cn") == "shishi.xn--55qx5d.cn");
}

TEST_CASE("a top-level domain that is not listed is a public suffix") {
  const auto list = PublicSuffixList::parse("co.example\n");
  REQUIRE(list);
  CHECK(registrable(*list, "unlisted") == "none");
  CHECK(registrable(*list, "a.b.unlisted") == "b.unlisted");
}

TEST_CASE("the library's list of public suffixes knows the oldest ones") {
  const PublicSuffixList list = PublicSuffixList::built_in();
  CHECK(registrable(list, "a.b.com") == "b.com");
  CHECK(registrable(list, "a.b.co.uk") == "b.co.uk");
}

TEST_CASE("a list of public suffixes without a rule is refused") {
  CHECK_FALSE(PublicSuffixList::parse(""));
  CHECK_FALSE(PublicSuffixList::parse("// nothing but words\n"));
}
