#include "transport/http/http_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string_view>

namespace waxwing {
namespace {

/// All parts come from our own configuration or were parsed; a control octet in one is our mistake.
bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string format_http_request(const HttpRequest& request) {
  assert(request.path.starts_with('/') && request.path.find(' ') == std::string::npos);
  assert(!has_control(request.host) && !has_control(request.path) && !has_control(request.content_type));
  assert(!has_control(request.user_agent) && !has_control(request.accept));
  const bool has_content = !request.content_type.empty();
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n", has_content ? "POST" : "GET",
                                 request.path, request.host, request.user_agent);
  if (!request.accept.empty()) text += fmt::format("Accept: {}\r\n", request.accept);
  if (has_content) {
    text += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type, request.content.size());
  }
  return text + "Accept-Encoding: identity\r\nConnection: close\r\n\r\n" + request.content;
}

}  // namespace waxwing
