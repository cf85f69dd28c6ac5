#pragma once

#include <string>
#include <vector>

namespace waxwing {

/// What a server of DNS over TLS must prove: its name, a key, or both. With neither it can prove nothing, and no query
/// is sent.
/// @source  RFC 8310 §5 (strict usage profile), RFC 7858 §4.2
struct DnsTlsIdentity {
  std::string name;               ///< in its certificate, by an authority of `ca_file`; empty: not asked for
  std::vector<std::string> pins;  ///< base64 of SHA-256 over SubjectPublicKeyInfo, one of which must match; empty: any
  std::string ca_file;            ///< PEM; needed for `name`
};

}  // namespace waxwing
