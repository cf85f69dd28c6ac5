#pragma once

// Private to transport/tls.

#include <openssl/base.h>

namespace waxwing {

/// Makes a context with what both sides have in common: TLS 1.2 with ECDHE and AEAD, TLS 1.3, certificates as buffers.
/// @return  nullptr: out of memory
/// @source  RFC 9325 §3.1 and §4.2
[[nodiscard]] bssl::UniquePtr<SSL_CTX> make_tls_context();

}  // namespace waxwing
