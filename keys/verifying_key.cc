#include "keys/verifying_key.h"

#include <fmt/format.h>
#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <array>
#include <cstdint>

#ifndef OPENSSL_IS_BORINGSSL
#error "keys/ is written for BoringSSL; another libcrypto's headers came first in the include path"
#endif

namespace waxwing {
namespace {

constexpr unsigned kEd25519Bits = 256;

const std::uint8_t* as_octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

CBS cursor(std::string_view octets) {
  CBS cursor;
  CBS_init(&cursor, as_octets(octets), octets.size());
  return cursor;
}

bssl::UniquePtr<EVP_PKEY> parse_subject_public_key_info(std::string_view octets) {
  CBS reader = cursor(octets);
  bssl::UniquePtr<EVP_PKEY> key(EVP_parse_public_key(&reader));
  if (!key || CBS_len(&reader) != 0 || EVP_PKEY_id(key.get()) != EVP_PKEY_RSA) return nullptr;
  return key;
}

bssl::UniquePtr<EVP_PKEY> parse_rsa_public_key(std::string_view octets) {
  CBS reader = cursor(octets);
  bssl::UniquePtr<RSA> rsa(RSA_parse_public_key(&reader));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (!rsa || !key || CBS_len(&reader) != 0 || EVP_PKEY_set1_RSA(key.get(), rsa.get()) != 1) return nullptr;
  return key;
}

bssl::UniquePtr<EVP_PKEY> parse_key(const DkimKeyRecord& record) {
  if (record.type == DkimKeyType::Ed25519) {
    return bssl::UniquePtr<EVP_PKEY>(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, as_octets(record.public_key), record.public_key.size()));
  }
  auto key = parse_subject_public_key_info(record.public_key);
  return key ? std::move(key) : parse_rsa_public_key(record.public_key);
}

}  // namespace

Result<VerifyingKey> VerifyingKey::from_record(const DkimKeyRecord& record) {
  auto key = parse_key(record);
  ERR_clear_error();
  if (!key) {
    return fail(ErrorKind::Malformed,
                fmt::format("p= of the key record is not a key of type {}", dkim_key_type_name(record.type)));
  }
  VerifyingKey result(std::move(key));
  if (result.size_bits() > kMaxVerifiedRsaBits) {
    return fail(ErrorKind::Denied, fmt::format("the key has {} bits, more than the {} that are looked at",
                                               result.size_bits(), kMaxVerifiedRsaBits));
  }
  return result;
}

unsigned VerifyingKey::size_bits() const {
  if (EVP_PKEY_id(key_.get()) == EVP_PKEY_ED25519) return kEd25519Bits;
  return static_cast<unsigned>(EVP_PKEY_bits(key_.get()));
}

bool VerifyingKey::verifies(std::string_view header_octets, std::string_view signature) const {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(as_octets(header_octets), header_octets.size(), digest.data());

  bool verified = false;
  if (EVP_PKEY_id(key_.get()) == EVP_PKEY_ED25519) {
    bssl::ScopedEVP_MD_CTX one_shot;
    verified =
        EVP_DigestVerifyInit(one_shot.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
        EVP_DigestVerify(one_shot.get(), as_octets(signature), signature.size(), digest.data(), digest.size()) == 1;
  } else {
    bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key_.get(), nullptr));
    verified =
        context && EVP_PKEY_verify_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
        EVP_PKEY_verify(context.get(), as_octets(signature), signature.size(), digest.data(), digest.size()) == 1;
  }
  ERR_clear_error();  // TLS connections on the same thread read the queue
  return verified;
}

}  // namespace waxwing
