#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waxwing {

/// Where a request over HTTPS goes.
struct HttpsUri {
  std::string host;  ///< A-labels, lower case
  std::string path;  ///< with the query, origin form

  friend bool operator==(const HttpsUri&, const HttpsUri&) = default;
};

/// Takes an https URI apart. Strangers write them, so that what could lead a request astray is refused.
/// @return  no value: another scheme, user information, a port other than 443, an IP address instead of a name, or octets
///          that URIs do not have
/// @source  RFC 3986 §3, RFC 9110 §4.2.2
[[nodiscard]] std::optional<HttpsUri> parse_https_uri(std::string_view text);

inline constexpr std::size_t kMaxHttpsUriOctets = 2'048;

}  // namespace waxwing
