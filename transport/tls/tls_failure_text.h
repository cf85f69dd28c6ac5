#pragma once

#include <cstdint>
#include <string>

namespace waxwing {

/// Says in one sentence why a TLS operation failed, from BoringSSL's error queue of this thread (which is emptied).
/// @param ssl_error      result of SSL_get_error()
/// @param in_handshake   whether the handshake was still going on
[[nodiscard]] std::string tls_failure_text(int ssl_error, bool in_handshake);

}  // namespace waxwing
