#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "policy/time_point.h"
#include "tests/support/test_certificates.h"
#include "transport/tls/tls_client_context.h"
#include "transport/tls/tls_server_context.h"

namespace waxwing::test {

/// 2026-01-01T00:00:00Z plus some days; certificates and virtual clocks of these tests live around it.
[[nodiscard]] WallTime day(int days);

/// Valid from day(-1) to day(90), for one name.
[[nodiscard]] CertificateSpec leaf_spec(const std::string& name);

[[nodiscard]] TlsRequirement opportunistic();
[[nodiscard]] TlsRequirement pkix(const std::string& name);
/// DANE-EE(3) SPKI(1) SHA2-256(1) for the certificate's key.
[[nodiscard]] TlsRequirement dane_ee(const TestCertificate& certificate);

/// A client context whose calendar is `*now`.
[[nodiscard]] std::unique_ptr<TlsClientContext> make_client(const std::string& anchors_pem, const WallTime* now);
[[nodiscard]] std::shared_ptr<const TlsServerContext> make_server(const TestCertificate& certificate);

/// Two ends and what each has decrypted; octets go to and fro in pieces of `piece` octets until nobody has any left.
struct Pair {
  std::unique_ptr<TlsSession> client;
  std::unique_ptr<TlsSession> server;
  InputBuffer client_heard;
  InputBuffer server_heard;

  void exchange(std::size_t piece = 100'000);

  /// Completes the handshake and, if it succeeds, lets the server say "220 ready": BoringSSL's server sends its TLS 1.3
  /// tickets along with its first octets.
  void connect();
};

/// A peer made of BoringSSL alone, for what our own contexts would never do.
class RawPeer {
 public:
  RawPeer(SSL_CTX* context, bool server);
  /// Exchanges octets with a session until neither has any left.
  void exchange(TlsSession& session, InputBuffer& heard);
  [[nodiscard]] SSL* ssl() { return ssl_.get(); }

 private:
  bssl::UniquePtr<SSL> ssl_;
};

/// A raw server context that shows the certificate.
[[nodiscard]] bssl::UniquePtr<SSL_CTX> make_raw_server(const TestCertificate& certificate, int max_version);

}  // namespace waxwing::test
