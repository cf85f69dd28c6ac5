#include "transport/tls/tls_failure_text.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "policy/ascii.h"

namespace waxwing {
namespace {

/// "handshake_failure", "unknown_ca" as RFC 8446 §6 spells them; BoringSSL has spaces and some capitals.
std::string alert_name(int alert) {
  std::string name = ascii_lower(SSL_alert_desc_string_long(alert));
  std::ranges::replace(name, ' ', '_');
  return name;
}

std::string reason_in_words(std::uint32_t error) {
  const char* reason = ERR_reason_error_string(error);
  if (reason == nullptr) return fmt::format("error {:08x}", error);
  std::string words = ascii_lower(reason);
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string ssl_reason_text(std::uint32_t error) {
  const int reason = ERR_GET_REASON(error);
  if (reason >= SSL_AD_REASON_OFFSET) {
    return fmt::format("the peer ended TLS with the alert {}", alert_name(reason - SSL_AD_REASON_OFFSET));
  }
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return "what the peer sent is not TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
      return "the peer offers neither TLS 1.2 nor TLS 1.3";
    case SSL_R_NO_SHARED_CIPHER:
      return "the peer offers no cipher suite with ECDHE and AEAD";
    case SSL_R_NO_RENEGOTIATION:
      return "the peer asked for renegotiation, which is refused";
    default:
      return fmt::format("the peer broke the TLS protocol: {}", reason_in_words(error));
  }
}

}  // namespace

std::string tls_failure_text(int ssl_error, bool in_handshake) {
  const std::uint32_t error = ERR_peek_error();
  ERR_clear_error();
  if (ssl_error == SSL_ERROR_ZERO_RETURN) return "the peer closed TLS during the handshake";
  if (error == 0) return fmt::format("TLS failed without a reason (result {})", ssl_error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) return ssl_reason_text(error);
  return fmt::format("a cryptographic operation failed {}: {}",
                     in_handshake ? "in the TLS handshake" : "on a TLS record", reason_in_words(error));
}

}  // namespace waxwing
