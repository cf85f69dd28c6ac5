#include "keys/verifying_key.h"

#include <catch2/catch.hpp>
#include <string>

#include "keys/signing_key.h"
#include "policy/base64.h"
#include "tests/keys/pem_samples.h"
#include "tests/keys/rfc8463_keys.h"

namespace waxwing {
namespace {

DkimKeyRecord record_of(const SigningKey& key) {
  return DkimKeyRecord::parse(format_dkim_key_record(key.type(), key.public_key())).value();
}

TEST_CASE("a key verifies what its private half signed, and nothing else", "[verifying_key]") {
  const auto pem = GENERATE(test::kRfc8463Rsa, test::kRfc8463Ed25519);
  const auto private_key = SigningKey::from_pem(pem).value();
  const auto key = VerifyingKey::from_record(record_of(private_key)).value();
  CHECK(key.size_bits() == private_key.size_bits());
  const std::string signature = private_key.sign("from:a@b.example").value();
  CHECK(key.verifies("from:a@b.example", signature));
  CHECK_FALSE(key.verifies("from:c@b.example", signature));
  for (std::size_t i = 0; i < signature.size(); i += 7) {
    std::string changed = signature;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(key.verifies("from:a@b.example", changed));
  }
  CHECK_FALSE(key.verifies("from:a@b.example", ""));
  CHECK_FALSE(key.verifies("from:a@b.example", signature + "x"));
  CHECK_FALSE(key.verifies("from:a@b.example", std::string(100'000, 'x')));
}

TEST_CASE("an RSA key may come bare", "[verifying_key]") {  // RFC 6376 erratum 3017
  const auto private_key = SigningKey::from_pem(test::kRfc8463Rsa).value();
  DkimKeyRecord record = record_of(private_key);
  constexpr std::size_t kWrapping = 22;  // SubjectPublicKeyInfo of a 1024-bit key up to the RSAPublicKey inside
  record.public_key.erase(0, kWrapping);
  const auto key = VerifyingKey::from_record(record);
  REQUIRE(key);
  CHECK(key->verifies("x", private_key.sign("x").value()));
}

TEST_CASE("what is no key of the record's type is refused", "[verifying_key]") {
  DkimKeyRecord record;
  record.public_key = GENERATE(as<std::string>(), "x", std::string(32, 'k'), std::string(10'000, '0'));
  CHECK(VerifyingKey::from_record(record).error().kind == ErrorKind::Malformed);
  record = record_of(SigningKey::from_pem(test::kRfc8463Rsa).value());
  record.public_key += 'x';
  CHECK(VerifyingKey::from_record(record).error().kind == ErrorKind::Malformed);
}

}  // namespace
}  // namespace waxwing
