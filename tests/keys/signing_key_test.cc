#include "keys/signing_key.h"

#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "policy/base64.h"
#include "tests/keys/pem_samples.h"
#include "tests/keys/rfc8463_keys.h"

namespace waxwing {
namespace {

const std::uint8_t* octets_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// Verifies as a receiver does, from the published public key alone.
bool verifies(const SigningKey& key, std::string_view message, std::string_view signature) {
  const std::string published = key.public_key();
  bssl::UniquePtr<EVP_PKEY> public_key;
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(octets_of(message), message.size(), reinterpret_cast<std::uint8_t*>(digest.data()));
  const EVP_MD* hash = nullptr;
  if (key.type() == DkimKeyType::Rsa) {
    CBS der;
    CBS_init(&der, octets_of(published), published.size());
    public_key.reset(EVP_parse_public_key(&der));
    hash = EVP_sha256();
  } else {
    public_key.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets_of(published), published.size()));
    message = digest;
  }
  REQUIRE(public_key);
  bssl::ScopedEVP_MD_CTX context;
  REQUIRE(EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, public_key.get()) == 1);
  return EVP_DigestVerify(context.get(), octets_of(signature), signature.size(), octets_of(message), message.size()) ==
         1;
}

Error error_of(std::string_view pem) {
  auto key = SigningKey::from_pem(pem);
  REQUIRE_FALSE(key);
  return key.error();
}

bool mentions(const Error& error, const std::string& words) {
  return error.detail.find(words) != std::string::npos;
}

TEST_CASE("a new key signs what its public half verifies", "[signing_key]") {
  const auto type = GENERATE(DkimKeyType::Rsa, DkimKeyType::Ed25519);
  const auto key = SigningKey::generate(type, 1024);
  REQUIRE(key);
  CHECK(key->type() == type);
  CHECK(key->size_bits() == (type == DkimKeyType::Rsa ? 1024 : 256));

  const auto signature = key->sign("canonical header");
  REQUIRE(signature);
  CHECK(verifies(*key, "canonical header", *signature));
  CHECK_FALSE(verifies(*key, "canonical Header", *signature));
}

TEST_CASE("an RSA key has 2048 bits unless told otherwise", "[signing_key]") {
  const auto key = SigningKey::generate(DkimKeyType::Rsa);
  REQUIRE(key);
  CHECK(key->size_bits() == 2048);
}

TEST_CASE("no RSA key is made that receivers would not accept", "[signing_key]") {
  const unsigned bits = GENERATE(0U, 512U, 1023U, 1100U, 4224U, 65'536U);
  const auto key = SigningKey::generate(DkimKeyType::Rsa, bits);
  REQUIRE_FALSE(key);
  CHECK(key.error().kind == ErrorKind::Denied);
}

TEST_CASE("a key survives being written and read", "[signing_key]") {
  const auto type = GENERATE(DkimKeyType::Rsa, DkimKeyType::Ed25519);
  const auto key = SigningKey::generate(type, 1024);
  REQUIRE(key);
  const Secret pem = key->to_pem();
  CHECK(pem.reveal().starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto again = SigningKey::from_pem(pem.reveal());
  REQUIRE(again);
  CHECK(again->public_key() == key->public_key());
  CHECK(verifies(*key, "x", again->sign("x").value()));
}

TEST_CASE("PKCS #1 and PKCS #8 are read alike", "[signing_key]") {
  const auto pkcs1 = SigningKey::from_pem(test::kRsa1024);
  const auto pkcs8 = SigningKey::from_pem(test::kRsa1024Pkcs8);
  REQUIRE(pkcs1);
  REQUIRE(pkcs8);
  CHECK(pkcs1->public_key() == pkcs8->public_key());
  CHECK(pkcs1->size_bits() == 1024);
}

TEST_CASE("the public half is computed from the private one", "[signing_key]") {
  const auto ed25519 = SigningKey::from_pem(test::kRfc8463Ed25519);
  REQUIRE(ed25519);
  CHECK(encode_base64(ed25519->public_key()) == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");

  const auto rsa = SigningKey::from_pem(test::kRfc8463Rsa);
  REQUIRE(rsa);
  CHECK(
      encode_base64(rsa->public_key()) ==
      "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91"
      "y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB");
}

TEST_CASE("text around the key is passed over", "[signing_key]") {
  CHECK(SigningKey::from_pem("comment\n" + std::string(test::kRsa1024)));
  CHECK(SigningKey::from_pem(std::string(test::kRsa1024Public) + std::string(test::kRsa1024)));
}

TEST_CASE("RSA keys outside 1024 to 4096 bits are refused", "[signing_key]") {
  const Error tiny = error_of(test::kRsa512);
  CHECK(tiny.kind == ErrorKind::Denied);
  CHECK(mentions(tiny, "512 bits"));
  const Error almost = error_of(test::kRsa1023);
  CHECK(almost.kind == ErrorKind::Denied);
  CHECK(mentions(almost, "1023 bits"));
  const Error huge = error_of(test::kRsa4104);
  CHECK(huge.kind == ErrorKind::Denied);
  CHECK(mentions(huge, "4104 bits"));
}

TEST_CASE("a text that is no usable key is refused with the likely mistake", "[signing_key]") {
  const auto [pem, words] = GENERATE(table<std::string, std::string>({
      {"", "not a PEM text"},
      {"garbage", "not a PEM text"},
      {"-----BEGIN PRIVATE KEY-----\n", "not a PEM text"},
      {"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n", "not a PEM text"},
      {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged"},
      {"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "damaged"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "only 'CERTIFICATE'"},
      {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
       "'OPENSSH PRIVATE KEY' cannot sign DKIM"},
      {std::string(test::kRsa1024Public), "public key only"},
      {std::string(test::kRsa1024EncryptedPkcs1), "encrypted"},
      {std::string(test::kRsa1024EncryptedPkcs8), "encrypted"},
      {std::string(test::kEcParametersAndKey), "'EC PRIVATE KEY' cannot sign DKIM"},
      {std::string(test::kEcPkcs8), "elliptic curve"},
      {std::string(test::kRsaPss), "neither RSA nor Ed25519"},
      {std::string(test::kEd448), "neither RSA nor Ed25519"},
      {std::string(kMaxPemOctets + 1, 'x'), "longer than"},
  }));
  const Error error = error_of(pem);
  CAPTURE(error.detail);
  CHECK(error.kind == ErrorKind::Malformed);
  CHECK(mentions(error, words));
}

TEST_CASE("a key cut off anywhere is refused", "[signing_key]") {
  const std::string whole(test::kRsa1024Pkcs8);
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {  // the last dash and line end may be missing
    CHECK_FALSE(SigningKey::from_pem(whole.substr(0, size)));
  }
}

TEST_CASE("an RSA key whose numbers do not belong together is refused", "[signing_key]") {
  std::string pem(test::kRsa1024Pkcs8);
  std::size_t accepted = 0;
  for (std::size_t at = 200; at < 700; at += 50) {
    std::string changed = pem;
    if (changed[at] == '\n') continue;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    accepted += SigningKey::from_pem(changed) ? 1 : 0;
  }
  CHECK(accepted == 0);
}

TEST_CASE("one key signs on several threads at once", "[signing_key]") {
  const auto key = SigningKey::generate(GENERATE(DkimKeyType::Rsa, DkimKeyType::Ed25519), 1024);
  REQUIRE(key);
  const std::string expected = key->sign("octets").value();
  std::vector<std::string> signatures(4);
  std::vector<std::thread> threads;
  for (std::string& signature : signatures) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) signature = key->sign("octets").value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& signature : signatures) CHECK(signature == expected);
}

}  // namespace
}  // namespace waxwing
