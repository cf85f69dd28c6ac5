#pragma once

#include <openssl/bio.h>
#include <openssl/curve25519.h>
#include <openssl/digest.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cassert>
#include <optional>
#include <string>
#include <vector>

namespace waxwing::testing {

using Key = bssl::UniquePtr<EVP_PKEY>;

inline Key make_ec_key(int curve = NID_X9_62_prime256v1) {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  EC_KEY_generate_key(ec.get());
  Key key(EVP_PKEY_new());
  EVP_PKEY_set1_EC_KEY(key.get(), ec.get());
  return key;
}

inline Key make_rsa_key(int bits) {
  bssl::UniquePtr<RSA> rsa(RSA_new());
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  BN_set_word(exponent.get(), RSA_F4);
  RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr);
  Key key(EVP_PKEY_new());
  EVP_PKEY_set1_RSA(key.get(), rsa.get());
  return key;
}

inline Key make_ed25519_key() {
  std::uint8_t public_key[ED25519_PUBLIC_KEY_LEN];
  std::uint8_t private_key[ED25519_PRIVATE_KEY_LEN];
  ED25519_keypair(public_key, private_key);
  return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, private_key, 32));
}

/// What to put into a certificate.
struct CertificateSpec {
  std::string subject = "leaf";
  std::vector<std::string> dns_names;
  bool authority = false;
  std::int64_t not_before = 1'700'000'000;
  std::int64_t not_after = 1'800'000'000;
  const EVP_MD* digest = EVP_sha256();
};

inline constexpr std::int64_t kValidTime = 1'750'000'000;

/// A certificate with its key.
struct Certificate {
  bssl::UniquePtr<X509> x509;
  Key key;

  [[nodiscard]] std::string der() const {
    std::uint8_t* data = nullptr;
    const int length = i2d_X509(x509.get(), &data);
    bssl::UniquePtr<std::uint8_t> owner(data);
    return {reinterpret_cast<char*>(data), static_cast<std::size_t>(length)};
  }
  [[nodiscard]] std::string public_key_der() const {
    std::uint8_t* data = nullptr;
    const int length = i2d_PUBKEY(key.get(), &data);
    bssl::UniquePtr<std::uint8_t> owner(data);
    return {reinterpret_cast<char*>(data), static_cast<std::size_t>(length)};
  }
  [[nodiscard]] std::string pem() const {
    bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), x509.get());
    const std::uint8_t* data = nullptr;
    std::size_t length = 0;
    BIO_mem_contents(out.get(), &data, &length);
    return {reinterpret_cast<const char*>(data), length};
  }
};

inline void set_name(X509_NAME* name, const std::string& common_name) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const std::uint8_t*>(common_name.data()),
                             static_cast<ossl_ssize_t>(common_name.size()), -1, 0);
}

inline void add_extension(X509* x509, int nid, const std::string& value) {
  bssl::UniquePtr<X509_EXTENSION> extension(X509V3_EXT_nconf_nid(nullptr, nullptr, nid, value.c_str()));
  assert(extension);
  X509_add_ext(x509, extension.get(), -1);
}

/// Makes a certificate signed by `issuer`, or by its own key.
inline Certificate make_certificate(const CertificateSpec& spec, Key key, const Certificate* issuer = nullptr) {
  Certificate certificate{bssl::UniquePtr<X509>(X509_new()), std::move(key)};
  X509* x509 = certificate.x509.get();
  static int serial = 0;
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  ASN1_TIME_set_posix(X509_getm_notBefore(x509), spec.not_before);
  ASN1_TIME_set_posix(X509_getm_notAfter(x509), spec.not_after);
  set_name(X509_get_subject_name(x509), spec.subject);
  X509_set_issuer_name(x509, X509_get_subject_name(issuer ? issuer->x509.get() : x509));
  X509_set_pubkey(x509, certificate.key.get());
  if (spec.authority) add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
  std::string names;
  for (const std::string& name : spec.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  if (!names.empty()) add_extension(x509, NID_subject_alt_name, names);
  EVP_PKEY* signer = issuer ? issuer->key.get() : certificate.key.get();
  X509_sign(x509, signer, EVP_PKEY_id(signer) == EVP_PKEY_ED25519 ? nullptr : spec.digest);
  return certificate;
}

}  // namespace waxwing::testing
