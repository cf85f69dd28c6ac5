#include "transport/tls/tls_server_context.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/pem.h>
#include <openssl/pool.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include "transport/tls/ticket_keys.h"
#include "transport/tls/tls_protocol.h"
#include "transport/tls/tls_session_impl.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxPemOctets = 1'048'576;
constexpr std::size_t kMaxServerCertificates = 20;
constexpr int kMinRsaBits = 2'048;

using CertificateChain = std::vector<bssl::UniquePtr<X509>>;

bssl::UniquePtr<BIO> open_pem(std::string_view pem) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size())));
}

/// Without it BoringSSL would ask for the password of an encrypted key on the terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

Result<CertificateChain> read_chain(std::string_view pem) {
  if (pem.size() > kMaxPemOctets) return fail(ErrorKind::Malformed, "the certificate file is larger than 1 MiB");
  const bssl::UniquePtr<BIO> bio = open_pem(pem);
  CertificateChain chain;
  ERR_clear_error();
  while (auto certificate = bssl::UniquePtr<X509>(
             bio == nullptr ? nullptr : PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr))) {
    chain.push_back(std::move(certificate));
    if (chain.size() > kMaxServerCertificates) {
      return fail(ErrorKind::Malformed, "the certificate file holds more than 20 certificates");
    }
  }
  const std::uint32_t error = ERR_peek_last_error();
  ERR_clear_error();
  if (chain.empty() && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) {
    return fail(ErrorKind::Malformed, "there is no PEM block 'CERTIFICATE' in the certificate file");
  }
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return fail(ErrorKind::Malformed,
                fmt::format("certificate {} of the certificate file cannot be read", chain.size() + 1));
  }
  return chain;
}

bool is_accepted_key(const EVP_PKEY* key) {
  switch (EVP_PKEY_id(key)) {
    case EVP_PKEY_RSA:
      return EVP_PKEY_bits(key) >= kMinRsaBits;
    case EVP_PKEY_EC: {
      const int curve = EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)));
      return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1;
    }
    default:
      return false;
  }
}

Result<bssl::UniquePtr<EVP_PKEY>> read_key(std::string_view pem) {
  if (pem.size() > kMaxPemOctets) return fail(ErrorKind::Malformed, "the key file is larger than 1 MiB");
  const bssl::UniquePtr<BIO> bio = open_pem(pem);
  bssl::UniquePtr<EVP_PKEY> key(bio == nullptr ? nullptr
                                               : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (key == nullptr) return fail(ErrorKind::Malformed, "the key file holds no private key in PEM without a password");
  if (!is_accepted_key(key.get())) {
    return fail(
        ErrorKind::Malformed,
        "the TLS key is neither ECDSA with P-256 or P-384 nor RSA of at least 2048 bits; most clients could not "
        "connect");
  }
  return key;
}

bool install(SSL_CTX* context, const CertificateChain& chain, EVP_PKEY* key) {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
  std::vector<CRYPTO_BUFFER*> certificates;
  for (const auto& certificate : chain) {
    std::uint8_t* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    const bssl::UniquePtr<std::uint8_t> free_der(der);
    if (size <= 0) return false;
    owned.emplace_back(CRYPTO_BUFFER_new(der, static_cast<std::size_t>(size), nullptr));
    if (owned.back() == nullptr) return false;
    certificates.push_back(owned.back().get());
  }
  return SSL_CTX_set_chain_and_key(context, certificates.data(), certificates.size(), key, nullptr) == 1;
}

/// Random, so that even a session that could be opened elsewhere would not be taken for one of this context.
bool set_random_session_context(SSL_CTX* context) {
  std::array<std::uint8_t, SSL_MAX_SID_CTX_LENGTH> id{};
  RAND_bytes(id.data(), id.size());
  return SSL_CTX_set_session_id_context(context, id.data(), id.size()) == 1;
}

// Asks for a certificate and takes any: whom it stands for is judged by whoever relies on it, since a client that has
// one for other purposes may log in with a password.
Result<void> ask_for_certificates(SSL_CTX* context, std::string_view ca_pem) {
  const auto authorities = read_chain(ca_pem);
  if (!authorities) return tl::unexpected(authorities.error());
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names(sk_CRYPTO_BUFFER_new_null());
  for (const auto& authority : *authorities) {
    std::uint8_t* der = nullptr;
    const int size = i2d_X509_NAME(X509_get_subject_name(authority.get()), &der);
    const bssl::UniquePtr<std::uint8_t> free_der(der);
    if (size <= 0) return fail(ErrorKind::Malformed, "an authority for clients has no name that can be read");
    bssl::PushToStack(names.get(),
                      bssl::UniquePtr<CRYPTO_BUFFER>(CRYPTO_BUFFER_new(der, static_cast<std::size_t>(size), nullptr)));
  }
  SSL_CTX_set0_client_CAs(context, names.release());
  SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, [](SSL*, std::uint8_t*) { return ssl_verify_ok; });
  return {};
}

// RFC 5929 §4.1: by the hash that the certificate is signed over, but not one that is broken.
// @return  empty: it is signed over none, or over several
std::string certificate_hash(const X509* certificate) {
  int digest_nid = NID_undef;
  if (OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest_nid, nullptr) != 1) return {};
  if (digest_nid == NID_md5 || digest_nid == NID_sha1) digest_nid = NID_sha256;
  const EVP_MD* digest = EVP_get_digestbynid(digest_nid);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  if (digest == nullptr || X509_digest(certificate, digest, hash.data(), &size) != 1) return {};
  return {reinterpret_cast<const char*>(hash.data()), size};
}

}  // namespace

MonotonicTime TlsServerContext::steady_time() {
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::steady_clock::now());
}

struct TlsServerContext::Impl {
  bssl::UniquePtr<SSL_CTX> context;
  std::shared_ptr<const std::string> certificate_hash;
};

TlsServerContext::TlsServerContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TlsServerContext::~TlsServerContext() = default;

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::create(std::string_view certificate_pem,
                                                                         std::string_view key_pem,
                                                                         std::string_view client_ca_pem,
                                                                         std::function<MonotonicTime()> clock) {
  const auto chain = read_chain(certificate_pem);
  if (!chain) return tl::unexpected(chain.error());
  const auto key = read_key(key_pem);
  if (!key) return tl::unexpected(key.error());
  if (X509_check_private_key(chain->front().get(), key->get()) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::Conflict, "the TLS key does not belong to the first certificate of the certificate file");
  }
  auto impl = std::make_unique<Impl>();
  impl->certificate_hash = std::make_shared<const std::string>(certificate_hash(chain->front().get()));
  ERR_clear_error();
  impl->context = make_tls_context();
  if (impl->context == nullptr || !set_random_session_context(impl->context.get()) ||
      !TicketKeys::install(impl->context.get(), std::move(clock))) {
    return fail(ErrorKind::Exhausted, "no memory for a TLS server context");
  }
  // Sessions live in tickets alone. BoringSSL's own keys would live for two days, and cannot be replaced while in use.
  SSL_CTX_set_session_cache_mode(impl->context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(impl->context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (!install(impl->context.get(), *chain, key->get())) {
    ERR_clear_error();
    return fail(ErrorKind::Malformed, "the certificate cannot be used for TLS");
  }
  if (!client_ca_pem.empty()) {
    auto asked = ask_for_certificates(impl->context.get(), client_ca_pem);
    if (!asked) return tl::unexpected(std::move(asked.error()));
  }
  return std::shared_ptr<const TlsServerContext>(new TlsServerContext(std::move(impl)));
}

std::unique_ptr<TlsSession> TlsServerContext::start() const {
  auto session = std::make_unique<TlsSession::Impl>();
  session->ssl.reset(SSL_new(impl_->context.get()));
  session->certificate_hash = impl_->certificate_hash;
  const bool attached = session->attach();
  assert(attached);
  static_cast<void>(attached);
  SSL_set_accept_state(session->ssl.get());
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(session)));
}

}  // namespace waxwing
