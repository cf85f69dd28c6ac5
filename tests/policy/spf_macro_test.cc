#include "policy/spf_macro.h"

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

SpfMacroValues values() {
  SpfMacroValues all;
  all.sender_local = "strong-bad";
  all.sender_domain = "email.example.com";
  all.domain = "email.example.com";
  all.dotted_address = "192.0.2.3";
  all.address = "192.0.2.3";
  all.address_family = "in-addr";
  return all;
}

std::string expanded(std::string_view text, SpfMacroUse use = SpfMacroUse::DomainSpec) {
  const auto macro = parse_spf_macro_string(text, use);
  return macro ? expand_spf_macros(*macro, values()) : "refused";
}

}  // namespace

TEST_CASE("macros expand as in the examples of RFC 7208 §7.4") {
  CHECK(expanded("%{s}") == "strong-bad@email.example.com");
  CHECK(expanded("%{d4}") == "email.example.com");
  CHECK(expanded("%{d2}") == "example.com");
  CHECK(expanded("%{dr}") == "com.example.email");
  CHECK(expanded("%{d2r}") == "example.email");
  CHECK(expanded("%{lr-}") == "bad.strong");
  CHECK(expanded("%{l1r-}") == "strong");
  CHECK(expanded("%{ir}.%{v}._spf.%{d2}") == "3.2.0.192.in-addr._spf.example.com");
  CHECK(expanded("%{S}") == "strong-bad%40email.example.com");
  CHECK(expanded("a%%b%_c%-d") == "a%b c%20d");
}

TEST_CASE("macro strings that break the grammar are refused") {
  for (const char* text : {"%", "%x", "%{", "%{}", "%{z}", "%{d", "%{d0}", "%{d*}", "%{dr1}", "a b", "%{c}", "%{r}",
                           "%{t}", "\xe4", "a%"}) {
    INFO(text);
    CHECK_FALSE(parse_spf_macro_string(text, SpfMacroUse::DomainSpec));
  }
  CHECK(expanded("for %{c} only", SpfMacroUse::Explanation) == "for 192.0.2.3 only");
}

TEST_CASE("a domain-spec ends in a macro or in a dot and a top label") {
  for (const char* text :
       {"a.example", "a.example.", "%{d}", "a.%{d}", "%{d}.example", "_x.a-b.ex-mple", "a/b.example"}) {
    INFO(text);
    CHECK(parse_spf_domain_spec(text));
  }
  for (const char* text : {"", "example", "a.123", "a.-b", "a.b-", "%{d}com", "a..", "a.b/"}) {
    INFO(text);
    CHECK_FALSE(parse_spf_domain_spec(text));
  }
}

TEST_CASE("an expansion does not grow without bound") {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "%{s}";
  CHECK(expanded(text).size() < 70'000);
}
