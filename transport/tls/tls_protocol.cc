#include "transport/tls/tls_protocol.h"

#include <openssl/ssl.h>

namespace waxwing {

bssl::UniquePtr<SSL_CTX> make_tls_context() {
  // TLS 1.3 suites are not configurable and all sound; this list is for TLS 1.2.
  constexpr const char* kCipherSuites =
      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
      "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
  // Named, so that a newer BoringSSL does not put a post-quantum group first: some servers choke on the large
  // ClientHello. P-521 is there for hosts with a certificate of that curve.
  constexpr const char* kGroups = "X25519:P-256:P-384:P-521";
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_strict_cipher_list(context.get(), kCipherSuites) != 1 ||
      SSL_CTX_set1_groups_list(context.get(), kGroups) != 1) {
    return nullptr;
  }
  return context;
}

}  // namespace waxwing
