#include "relay/server/scram_decoy.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;

TEST_CASE("who has no keys is given some that stay the same and look like others") {
  const Secret secret("of this relay");
  const ScramKeys first = scram_decoy(secret, "nobody");
  CHECK(first.iterations == kScramIterations);
  CHECK(first.salt.size() == kScramSaltOctets);
  CHECK(parse_scram_keys(scram_keys_text(first)));
  CHECK(scram_keys_text(scram_decoy(secret, "nobody")) == scram_keys_text(first));
  for (const ScramKeys& other : {scram_decoy(secret, "nobody2"), scram_decoy(Secret("of another"), "nobody")}) {
    CHECK(other.salt != first.salt);
    CHECK(other.stored_key.reveal() != first.stored_key.reveal());
    CHECK(other.server_key.reveal() != first.server_key.reveal());
  }
  CHECK(first.stored_key.reveal().substr(0, kScramSaltOctets) != first.salt);
}
