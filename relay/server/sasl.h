#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"
#include "policy/secret.h"

namespace waxwing {

/// What a client claims to be.
struct Credentials {
  std::string user;
  Secret password;
};

/// Decodes a SASL response line: base64, "=" alone for an empty response.
/// @errors  Malformed
/// @source  RFC 4954 §4, RFC 4648 §4
[[nodiscard]] Result<Secret> decode_sasl_response(std::string_view text);

/// Whether user and password may be looked at: neither empty, nor over 255 octets, nor with a NUL in it.
/// @errors  Malformed
/// @source  RFC 4616 §2
[[nodiscard]] Result<void> check_credentials(std::string_view user, std::string_view password);

/// Reads the message of SASL PLAIN: authzid NUL authcid NUL password.
/// @errors  Malformed: wrong number of parts, or as check_credentials();
///          Denied: an authorization identity that differs from the user
/// @source  RFC 4616 §2
[[nodiscard]] Result<Credentials> parse_sasl_plain(std::string_view message);

/// Reads the response of SASL EXTERNAL, in base64: as whom the client wants to act.
/// @return  empty: as whom its certificate says
/// @errors  Malformed: no base64, over 255 octets, no UTF-8, or a NUL in it
/// @source  RFC 4422 §A.3
[[nodiscard]] Result<std::string> parse_sasl_external(std::string_view response);

}  // namespace waxwing
