#include "transport/tls/tls_client_context.h"

#include <fmt/format.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>

#include <array>
#include <cassert>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "policy/dane.h"
#include "policy/pinned_key.h"
#include "transport/tls/session_cache.h"
#include "transport/tls/tls_protocol.h"
#include "transport/tls/tls_session_impl.h"

namespace waxwing {
namespace {

using Method = TlsRequirement::Method;

// In order of preference. BoringSSL's default lacks P-521 and Ed25519, with which some MX hosts sign; SHA-1 stays out.
constexpr std::array<std::uint16_t, 10> kVerifyAlgorithms = {
    SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,
    SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PKCS1_SHA256,
    SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384,
    SSL_SIGN_RSA_PKCS1_SHA384,       SSL_SIGN_ECDSA_SECP521R1_SHA512,
    SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA512,
};

/// Alert for the peer's operator. @source RFC 8446 §6.2
std::uint8_t alert_for(CertificateResult result) {
  switch (result) {
    case CertificateResult::Expired:
      return SSL_AD_CERTIFICATE_EXPIRED;
    case CertificateResult::NotTrusted:
      return SSL_AD_UNKNOWN_CA;
    case CertificateResult::Unreadable:
      return SSL_AD_BAD_CERTIFICATE;
    case CertificateResult::HostMismatch:
    case CertificateResult::Accepted:
      break;
  }
  return SSL_AD_CERTIFICATE_UNKNOWN;
}

CertificateVerdict verify_chain(std::span<const std::string> chain, const TlsRequirement& requirement,
                                const TrustAnchors* anchors, WallTime now) {
  switch (requirement.method) {
    case Method::Dane:
      return verify_dane(chain, requirement.tlsa, requirement.reference_identifiers, now);
    case Method::Pkix:
      if (requirement.authorities != nullptr) anchors = requirement.authorities.get();
      if (anchors == nullptr) return {CertificateResult::NotTrusted, "no public authorities are configured"};
      return verify_pkix(chain, *anchors, requirement.reference_identifiers, now);
    case Method::Pin:
      return verify_pinned_key(chain, requirement.pins);
    case Method::Opportunistic:
      return {CertificateResult::Accepted, "encrypted with whoever answered; the certificate was not looked at"};
    case Method::Defer:
      break;
  }
  return {CertificateResult::NotTrusted, "the requirement of this host says not to use it now"};
}

}  // namespace

struct TlsClientContext::Impl {
  Impl(std::shared_ptr<const TrustAnchors> trust, std::function<WallTime()> wall_clock)
      : anchors(std::move(trust)),
        clock(std::move(wall_clock)),
        sessions(std::make_shared<SessionCache>(kMaxResumablePeers, kMaxSessionsPerPeer)),
        tls_1_2_peers(std::make_shared<std::unordered_set<std::string>>()) {}

  // Called by BoringSSL with the peer's chain, in full and in resumed handshakes.
  static ssl_verify_result_t verify(SSL* ssl, std::uint8_t* out_alert) {
    TlsSession::Impl& session = TlsSession::Impl::of(ssl);
    const std::vector<std::string> chain = presented_chain(ssl);
    session.verdict = session.verify(chain);
    if (session.observe) session.observation = session.observe(chain);
    if (session.verdict->result == CertificateResult::Accepted) return ssl_verify_ok;
    *out_alert = alert_for(session.verdict->result);
    return ssl_verify_invalid;
  }

  // Called by BoringSSL when a session can be resumed: with TLS 1.3 for each ticket after the handshake.
  static int keep(SSL* ssl, SSL_SESSION* session) {
    TlsSession::Impl& owner = TlsSession::Impl::of(ssl);
    if (owner.keep_session == nullptr) return 0;
    owner.keep_session(bssl::UniquePtr<SSL_SESSION>(session));
    return 1;
  }

  std::shared_ptr<const TrustAnchors> anchors;
  std::function<WallTime()> clock;
  std::shared_ptr<SessionCache> sessions;  ///< shared with the sessions, which may outlive the context
  std::shared_ptr<std::unordered_set<std::string>> tls_1_2_peers;  ///< ditto; peers whose certificates serve no other
  bssl::UniquePtr<SSL_CTX> context;
};

TlsClientContext::TlsClientContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TlsClientContext::~TlsClientContext() = default;

Result<std::unique_ptr<TlsClientContext>> TlsClientContext::create(std::shared_ptr<const TrustAnchors> anchors,
                                                                   std::function<WallTime()> clock) {
  auto impl = std::make_unique<Impl>(std::move(anchors), std::move(clock));
  impl->context = make_tls_context();
  SSL_CTX* context = impl->context.get();
  if (context == nullptr ||
      SSL_CTX_set_verify_algorithm_prefs(context, kVerifyAlgorithms.data(), kVerifyAlgorithms.size()) != 1) {
    return fail(ErrorKind::Exhausted, "no memory for a TLS client context");
  }
  SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, Impl::verify);
  // Without this a resumed session would skip the verifier although the TLSA records may have changed.
  SSL_CTX_set_reverify_on_resume(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, Impl::keep);
  return std::unique_ptr<TlsClientContext>(new TlsClientContext(std::move(impl)));
}

std::unique_ptr<TlsSession> TlsClientContext::start(const TlsRequirement& requirement, std::string_view peer_key,
                                                    std::string_view alpn) {
  assert(requirement.method != Method::Defer && alpn.size() <= 255);
  auto session = std::make_unique<TlsSession::Impl>();
  session->ssl.reset(SSL_new(impl_->context.get()));
  const bool attached = session->attach();
  assert(attached);
  static_cast<void>(attached);
  SSL* ssl = session->ssl.get();
  SSL_set_connect_state(ssl);
  // RSA certificates without digitalSignature still sign for TLS 1.2 on some MX hosts; who the peer is, is our
  // verifier's decision alone.
  SSL_set_enforce_rsa_key_usage(ssl, 0);
  if (impl_->tls_1_2_peers->contains(std::string(peer_key))) {
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
  } else {
    session->keep_to_tls_1_2 = [peers = impl_->tls_1_2_peers, peer = std::string(peer_key)] {
      if (peers->size() >= kMaxResumablePeers) peers->clear();  // each costs one handshake to learn again
      peers->insert(peer);
    };
  }
  if (!requirement.server_name.empty()) SSL_set_tlsext_host_name(ssl, requirement.server_name.c_str());
  if (!alpn.empty()) {
    std::string protocols(1, static_cast<char>(alpn.size()));
    protocols += alpn;
    SSL_set_alpn_protos(ssl, reinterpret_cast<const std::uint8_t*>(protocols.data()), protocols.size());
  }
  std::string key = fmt::format("{}\n{}\n{}", peer_key, requirement.sharing_key(), alpn);
  if (const auto known = impl_->sessions->take(key)) SSL_set_session(ssl, known.get());
  session->verify = [requirement, anchors = impl_->anchors, clock = impl_->clock](std::span<const std::string> chain) {
    return verify_chain(chain, requirement, anchors.get(), clock());
  };
  if (requirement.method == Method::Opportunistic && !requirement.reference_identifiers.empty()) {
    TlsRequirement observed = requirement;
    observed.method = Method::Pkix;
    session->observe = [observed = std::move(observed), anchors = impl_->anchors,
                        clock = impl_->clock](std::span<const std::string> chain) {
      return verify_chain(chain, observed, anchors.get(), clock());
    };
  }
  session->keep_session = [sessions = impl_->sessions, key = std::move(key)](bssl::UniquePtr<SSL_SESSION> resumable) {
    sessions->put(key, std::move(resumable));
  };
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(session)));
}

}  // namespace waxwing
