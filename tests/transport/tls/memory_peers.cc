#include "tests/transport/tls/memory_peers.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstdlib>

namespace waxwing::test {
namespace {

void deliver(std::string_view octets, std::size_t piece, TlsSession& to, InputBuffer& heard) {
  while (!octets.empty()) {
    const std::string_view head = octets.substr(0, piece);
    octets.remove_prefix(head.size());
    static_cast<void>(to.feed(head, heard));
  }
}

}  // namespace

WallTime day(int days) {
  return std::chrono::sys_days{std::chrono::January / 1 / 2026} + std::chrono::days{days};
}

CertificateSpec leaf_spec(const std::string& name) {
  return {.common_name = name, .dns_names = {name}, .not_before = day(-1), .not_after = day(90)};
}

TlsRequirement opportunistic() {
  TlsRequirement requirement;
  requirement.method = TlsRequirement::Method::Opportunistic;
  requirement.server_name = "mx.example";
  return requirement;
}

TlsRequirement pkix(const std::string& name) {
  TlsRequirement requirement;
  requirement.method = TlsRequirement::Method::Pkix;
  requirement.level = TlsLevel::Authenticated;
  requirement.reference_identifiers = {name};
  requirement.server_name = name;
  return requirement;
}

TlsRequirement dane_ee(const TestCertificate& certificate) {
  TlsRequirement requirement;
  requirement.method = TlsRequirement::Method::Dane;
  requirement.level = TlsLevel::Authenticated;
  requirement.tlsa = {
      {.usage = 3, .selector = 1, .matching_type = 1, .association = sha256_octets(certificate.public_key)}};
  requirement.reference_identifiers = {"mx.example"};
  requirement.server_name = "mx.example";
  return requirement;
}

std::unique_ptr<TlsClientContext> make_client(const std::string& anchors_pem, const WallTime* now) {
  auto anchors = TrustAnchors::from_pem(anchors_pem);
  if (!anchors) std::abort();
  auto context =
      TlsClientContext::create(std::make_shared<const TrustAnchors>(std::move(*anchors)), [now] { return *now; });
  if (!context) std::abort();
  return std::move(*context);
}

std::shared_ptr<const TlsServerContext> make_server(const TestCertificate& certificate) {
  auto context = TlsServerContext::create(certificate.pem, certificate.key_pem);
  if (!context) std::abort();
  return *context;
}

void Pair::exchange(std::size_t piece) {
  static_cast<void>(client->feed({}, client_heard));
  while (true) {
    const std::string to_server = client->take_output();
    deliver(to_server, piece, *server, server_heard);
    const std::string to_client = server->take_output();
    deliver(to_client, piece, *client, client_heard);
    if (to_server.empty() && to_client.empty()) return;
  }
}

void Pair::connect() {
  exchange();
  if (server->state() != TlsSession::State::Established) return;
  server->write("220 ready");
  exchange();
}

RawPeer::RawPeer(SSL_CTX* context, bool server) : ssl_(SSL_new(context)) {
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  server ? SSL_set_accept_state(ssl_.get()) : SSL_set_connect_state(ssl_.get());
}

void RawPeer::exchange(TlsSession& session, InputBuffer& heard) {
  static_cast<void>(session.feed({}, heard));
  while (true) {
    const std::string to_peer = session.take_output();
    BIO_write(SSL_get_rbio(ssl_.get()), to_peer.data(), static_cast<int>(to_peer.size()));
    SSL_do_handshake(ssl_.get());
    const std::uint8_t* octets = nullptr;
    std::size_t size = 0;
    BIO_mem_contents(SSL_get_wbio(ssl_.get()), &octets, &size);
    const std::string to_session(reinterpret_cast<const char*>(octets), size);
    BIO_reset(SSL_get_wbio(ssl_.get()));
    static_cast<void>(session.feed(to_session, heard));
    if (to_peer.empty() && to_session.empty()) return;
  }
}

bssl::UniquePtr<SSL_CTX> make_raw_server(const TestCertificate& certificate, int max_version) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  const auto version = static_cast<std::uint16_t>(max_version);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), version);
  const bssl::UniquePtr<BIO> pem(
      BIO_new_mem_buf(certificate.pem.data(), static_cast<ossl_ssize_t>(certificate.pem.size())));
  const bssl::UniquePtr<BIO> key_pem(
      BIO_new_mem_buf(certificate.key_pem.data(), static_cast<ossl_ssize_t>(certificate.key_pem.size())));
  const bssl::UniquePtr<X509> x509(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
  const bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(key_pem.get(), nullptr, nullptr, nullptr));
  if (SSL_CTX_use_certificate(context.get(), x509.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    std::abort();
  }
  // The default list lacks Ed25519 and P-521 for signing.
  const std::uint16_t algorithms[] = {SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,
                                      SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_RSA_PSS_RSAE_SHA256,
                                      SSL_SIGN_RSA_PKCS1_SHA256};
  SSL_CTX_set_signing_algorithm_prefs(context.get(), algorithms, std::size(algorithms));
  SSL_CTX_set1_curves_list(context.get(), "X25519:P-256:P-521");
  return context;
}

}  // namespace waxwing::test
