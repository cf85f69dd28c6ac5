#pragma once

#include <string>

namespace waxwing {

/// One request for one resource; the connection serves no other.
struct HttpGet {
  std::string host;  ///< A-labels, and ":port" unless it is 443
  std::string path;  ///< origin form, begins with "/"; visible ASCII without spaces
  std::string user_agent;
  std::string accept;  ///< media type asked for, e.g. "text/plain"
};

/// Formats the request with Connection: close, and without content codings, since HttpResponseReader undoes none.
/// @source  RFC 9112 §3 and §9.6, RFC 9110 §12.5.3
[[nodiscard]] std::string format_http_get(const HttpGet& request);

}  // namespace waxwing
