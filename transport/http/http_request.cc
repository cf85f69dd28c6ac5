#include "transport/http/http_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string_view>

namespace waxwing {
namespace {

/// All parts come from our own configuration or from a parsed DomainName; a control octet in one is our mistake.
bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string format_http_get(const HttpGet& request) {
  assert(request.path.starts_with('/') && request.path.find(' ') == std::string::npos);
  assert(!has_control(request.host) && !has_control(request.path));
  assert(!has_control(request.user_agent) && !has_control(request.accept));
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: {}\r\nAccept-Encoding: identity\r\nConnection: "
      "close\r\n"
      "\r\n",
      request.path, request.host, request.user_agent, request.accept);
}

}  // namespace waxwing
