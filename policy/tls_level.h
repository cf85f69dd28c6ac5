#pragma once

#include <string_view>

namespace waxwing {

/// How much a connection has proven about its peer, least first.
enum class TlsLevel {
  Plaintext,
  Encrypted,  ///< TLS with whoever answered
  Verified,   ///< the host is the one the MX record names: by public authorities, or by DANE under an insecure MX RRset
  Authenticated,  ///< DANE or MTA-STS: the recipient domain itself vouches for the host; on a route of the operator: DANE
                  ///< of the host that he named, or a key that he pinned
};

/// "plaintext", "encrypted", "verified", "authenticated".
[[nodiscard]] std::string_view tls_level_name(TlsLevel level);

/// What a message itself asks of TLS.
/// @source  RFC 8689 §2 and §3
enum class TlsRequest {
  None,
  Required,  ///< REQUIRETLS in MAIL: only over a path that is authenticated from end to end
  Optional,  ///< "TLS-Required: No" in the header: what the recipient domain publishes is not to stand in the way
};

/// "none", "required", "optional".
[[nodiscard]] std::string_view tls_request_name(TlsRequest request);

}  // namespace waxwing
