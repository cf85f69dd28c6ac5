#include "policy/tls_level.h"

namespace waxwing {

std::string_view tls_level_name(TlsLevel level) {
  switch (level) {
    case TlsLevel::Plaintext:
      return "plaintext";
    case TlsLevel::Encrypted:
      return "encrypted";
    case TlsLevel::Verified:
      return "verified";
    case TlsLevel::Authenticated:
      return "authenticated";
  }
  return "plaintext";
}

std::string_view tls_request_name(TlsRequest request) {
  switch (request) {
    case TlsRequest::None:
      return "none";
    case TlsRequest::Required:
      return "required";
    case TlsRequest::Optional:
      return "optional";
  }
  return "none";
}

}  // namespace waxwing
