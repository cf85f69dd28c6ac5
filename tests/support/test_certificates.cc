#include "tests/support/test_certificates.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace waxwing::test {
namespace {

/// Making certificates cannot fail for reasons that a test would want to look at.
void must(bool ok) {
  if (!ok) std::abort();
}

bssl::UniquePtr<EVP_PKEY> make_rsa_key(int bits) {
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  bssl::UniquePtr<RSA> rsa(RSA_new());
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  must(BN_set_word(exponent.get(), RSA_F4) == 1 && RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr) == 1 &&
       EVP_PKEY_set1_RSA(key.get(), rsa.get()) == 1);
  return key;
}

bssl::UniquePtr<EVP_PKEY> make_ec_key(int curve) {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  must(EC_KEY_generate_key(ec.get()) == 1 && EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1);
  return key;
}

bssl::UniquePtr<EVP_PKEY> make_ed25519_key() {
  std::array<std::uint8_t, 32> seed{};
  RAND_bytes(seed.data(), seed.size());
  return bssl::UniquePtr<EVP_PKEY>(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
}

bssl::UniquePtr<EVP_PKEY> make_key(TestKeyKind kind) {
  switch (kind) {
    case TestKeyKind::P256:
      return make_ec_key(NID_X9_62_prime256v1);
    case TestKeyKind::P521:
      return make_ec_key(NID_secp521r1);
    case TestKeyKind::Rsa2048:
      return make_rsa_key(2048);
    case TestKeyKind::Rsa1024:
      return make_rsa_key(1024);
    case TestKeyKind::Ed25519:
      return make_ed25519_key();
  }
  std::abort();
}

void set_time(ASN1_TIME* field, WallTime time) {
  const auto seconds = std::chrono::floor<Seconds>(time).time_since_epoch().count();
  must(ASN1_TIME_set(field, static_cast<time_t>(seconds)) != nullptr);
}

void set_name(X509_NAME* name, const std::string& common_name) {
  must(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                  reinterpret_cast<const std::uint8_t*>(common_name.data()),
                                  static_cast<ossl_ssize_t>(common_name.size()), -1, 0) == 1);
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, nullptr, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

std::string contents(BIO* bio) {
  const std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  must(BIO_mem_contents(bio, &octets, &size) == 1);
  return {reinterpret_cast<const char*>(octets), size};
}

TestCertificate export_certificate(X509* certificate, EVP_PKEY* key, const std::string& common_name) {
  TestCertificate result{.common_name = common_name, .der = {}, .public_key = {}, .pem = {}, .key_pem = {}};
  std::uint8_t* der = nullptr;
  int size = i2d_X509(certificate, &der);
  must(size > 0);
  result.der.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  der = nullptr;
  size = i2d_PUBKEY(key, &der);
  must(size > 0);
  result.public_key.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  const bssl::UniquePtr<BIO> pem(BIO_new(BIO_s_mem()));
  const bssl::UniquePtr<BIO> key_pem(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(pem.get(), certificate) == 1 &&
       PEM_write_bio_PrivateKey(key_pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  result.pem = contents(pem.get());
  result.key_pem = contents(key_pem.get());
  return result;
}

/// An issuer of nullptr: the certificate signs itself.
TestCertificate make(const CertificateSpec& spec, const TestCertificate* issuer) {
  const bssl::UniquePtr<EVP_PKEY> key = make_key(spec.key_kind);
  const bssl::UniquePtr<X509> certificate(X509_new());
  X509* x509 = certificate.get();
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<std::uint8_t*>(&serial), sizeof serial);
  must(X509_set_version(x509, X509_VERSION_3) == 1 &&
       ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial) == 1 && X509_set_pubkey(x509, key.get()) == 1);
  set_time(X509_getm_notBefore(x509), spec.not_before);
  set_time(X509_getm_notAfter(x509), spec.not_after);
  set_name(X509_get_subject_name(x509), spec.common_name);
  set_name(X509_get_issuer_name(x509), issuer == nullptr ? spec.common_name : issuer->common_name);
  add_extension(x509, NID_basic_constraints, spec.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(x509, NID_key_usage, "critical," + (spec.authority ? "keyCertSign" : spec.key_usage));
  std::string names;
  for (const std::string& name : spec.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  if (!names.empty()) add_extension(x509, NID_subject_alt_name, names);

  bssl::UniquePtr<EVP_PKEY> issuer_key = bssl::UpRef(key);
  if (issuer != nullptr) {
    const bssl::UniquePtr<BIO> pem(
        BIO_new_mem_buf(issuer->key_pem.data(), static_cast<ossl_ssize_t>(issuer->key_pem.size())));
    issuer_key.reset(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
  }
  const EVP_MD* digest = EVP_PKEY_id(issuer_key.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  must(X509_sign(x509, issuer_key.get(), digest) > 0);
  return export_certificate(x509, key.get(), spec.common_name);
}

}  // namespace

TestCertificate make_self_signed(const CertificateSpec& spec) {
  return make(spec, nullptr);
}

TestCertificate issue(const CertificateSpec& spec, const TestCertificate& issuer) {
  return make(spec, &issuer);
}

std::string sha256_octets(const std::string& octets) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace waxwing::test
