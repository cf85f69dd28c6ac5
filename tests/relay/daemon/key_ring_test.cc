#include "relay/daemon/key_ring.h"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keys/signing_key.h"

namespace waxwing {
namespace {

DomainName domain(std::string_view name) {
  return *DomainName::parse(name);
}

StoredKey key(std::string_view name, std::string selector) {
  auto made = SigningKey::generate(DkimKeyType::Ed25519);
  return {domain(name), std::move(selector), std::make_shared<const SigningKey>(std::move(*made)), WallTime{}};
}

TEST_CASE("the keys of the author's own domain come before those of its parents") {
  const KeyRing ring({key("example.org", "a"), key("example.org", "b"), key("shop.example.org", "c")});
  CHECK(ring.keys_for(domain("example.org")).size() == 2);
  REQUIRE(ring.keys_for(domain("shop.example.org")).size() == 1);
  CHECK(ring.keys_for(domain("shop.example.org")).front().selector == "c");
}

TEST_CASE("a subdomain without keys is signed by its nearest ancestor that has some") {
  const KeyRing ring({key("example.org", "a"), key("shop.example.org", "c")});
  REQUIRE(ring.keys_for(domain("x.y.shop.example.org")).size() == 1);
  CHECK(ring.keys_for(domain("x.y.shop.example.org")).front().selector == "c");
  CHECK(ring.keys_for(domain("mail.example.org")).front().selector == "a");
}

TEST_CASE("a domain nobody has keys for gets none") {
  const KeyRing ring({key("example.org", "a")});
  CHECK(ring.keys_for(domain("example.net")).empty());
  CHECK(ring.keys_for(domain("notexample.org")).empty());
  CHECK(ring.keys_for(domain("org")).empty());
}

}  // namespace
}  // namespace waxwing
