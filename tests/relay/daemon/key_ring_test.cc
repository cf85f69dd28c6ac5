#include "relay/daemon/key_ring.h"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keys/signing_key.h"
#include "relay/signing/key_access.h"

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

TEST_CASE("public halves stand in the order of the keys, with the record to publish") {
  const std::vector<StoredKey> keys = {key("example.org", "a"), key("example.org", "b")};
  const KeyRing ring(keys);
  const auto& halves = ring.public_halves_for(domain("mail.example.org"));
  REQUIRE(halves.size() == 2);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    CHECK(halves[i].selector == keys[i].selector);
    CHECK(halves[i].public_key == keys[i].key->public_key());
    CHECK(DkimKeyRecord::parse(halves[i].usual_record)->public_key == halves[i].public_key);
  }
  CHECK(ring.public_halves_for(domain("example.com")).empty());
}

TEST_CASE("a subdomain without keys is signed by its nearest ancestor that has some") {
  const KeyRing ring({key("example.org", "a"), key("shop.example.org", "c")});
  REQUIRE(ring.keys_for(domain("x.y.shop.example.org")).size() == 1);
  CHECK(ring.keys_for(domain("x.y.shop.example.org")).front().selector == "c");
  CHECK(ring.keys_for(domain("mail.example.org")).front().selector == "a");
}

TEST_CASE("keys with a life cycle sign while they are active, keys made by hand always") {
  const std::vector<StoredKey> keys = {key("hand.example", "s1"), key("sender.example", "old"),
                                       key("sender.example", "new"), key("sender.example", "stray")};
  RotationState state{domain("sender.example"), "", 0, false, {}};
  for (const auto& [selector, phase] : {std::pair("old", KeyPhase::Retiring), std::pair("new", KeyPhase::Active)}) {
    KeyGeneration generation;
    generation.keys.push_back({selector, DkimKeyType::Ed25519, "v=DKIM1; p="});
    generation.phase = phase;
    state.generations.push_back(generation);
  }
  const std::vector<StoredKey> chosen = signing_keys(keys, {state});
  REQUIRE(chosen.size() == 2);
  CHECK(chosen[0].selector == "s1");
  CHECK(chosen[1].selector == "new");
}

TEST_CASE("a domain nobody has keys for gets none") {
  const KeyRing ring({key("example.org", "a")});
  CHECK(ring.keys_for(domain("example.net")).empty());
  CHECK(ring.keys_for(domain("notexample.org")).empty());
  CHECK(ring.keys_for(domain("org")).empty());
}

}  // namespace
}  // namespace waxwing
