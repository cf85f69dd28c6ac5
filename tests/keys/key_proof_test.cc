#include "keys/key_proof.h"

#include <catch2/catch.hpp>

#include "keys/signing_key.h"
#include "policy/dkim_key_record.h"

namespace waxwing {
namespace {

TEST_CASE("a key is proven by its own record and by no other") {
  for (const DkimKeyType type : {DkimKeyType::Rsa, DkimKeyType::Ed25519}) {
    const auto key = SigningKey::generate(type, 1'024);
    const auto other = SigningKey::generate(type, 1'024);
    REQUIRE(key);
    const std::string record = format_dkim_key_record(type, key->public_key());
    CHECK(prove_key(*key, record));
    CHECK(prove_key(*other, record).error().kind == ErrorKind::Denied);
    CHECK(prove_key(*key, "v=DKIM1; p=").error().kind == ErrorKind::Malformed);
    CHECK(prove_key(*key, "nothing").error().kind == ErrorKind::Malformed);
    CHECK(prove_key(*key, record + "; h=sha1").error().kind == ErrorKind::Denied);
    CHECK(prove_key(*key, record + "; s=tlsrpt").error().kind == ErrorKind::Denied);
  }
}

}  // namespace
}  // namespace waxwing
