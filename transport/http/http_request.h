#pragma once

#include <string>

namespace waxwing {

/// One request for one resource; the connection serves no other.
struct HttpRequest {
  std::string host;  ///< A-labels, and ":port" unless it is 443
  std::string path;  ///< origin form, begins with "/"; visible ASCII without spaces
  std::string user_agent;
  std::string accept{};        ///< media type asked for, e.g. "text/plain"; empty: any
  std::string content_type{};  ///< of `content`; empty: a GET, which has none
  std::string content{};
};

/// Formats the request, a GET or a POST, with Connection: close, and without content codings, since HttpResponseReader
/// undoes none.
/// @source  RFC 9112 §3 and §9.6, RFC 9110 §12.5.3
[[nodiscard]] std::string format_http_request(const HttpRequest& request);

}  // namespace waxwing
