#include "transport/http/https_uri.h"

#include <algorithm>

#include "policy/ascii.h"
#include "policy/domain_name.h"
#include "policy/ip_address.h"

namespace waxwing {
namespace {

constexpr std::string_view kScheme = "https://";

// RFC 3986 §2: unreserved, reserved and "%"; which of them may stand where does not matter to who sends them on.
bool is_uri_octet(char c) {
  return is_ascii_alnum(c) || std::string_view("-._~:/?[]@!$&'()*+,;=%").find(c) != std::string_view::npos;
}

}  // namespace

std::optional<HttpsUri> parse_https_uri(std::string_view text) {
  if (text.size() > kMaxHttpsUriOctets || !ascii_iequal(text.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  text = text.substr(0, text.find('#'));
  if (!std::ranges::all_of(text, is_uri_octet)) return std::nullopt;
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  if (authority.ends_with(":443")) authority.remove_suffix(4);
  const auto host = DomainName::parse(authority);
  if (!host || IpAddress::parse(authority)) return std::nullopt;
  std::string path(text.substr(end));
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  return HttpsUri{host->str(), std::move(path)};
}

}  // namespace waxwing
