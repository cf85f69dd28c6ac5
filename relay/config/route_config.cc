#include "relay/config/route_config.h"

#include <algorithm>

#include "policy/domain_name.h"
#include "relay/config/quantity.h"

namespace waxwing {

Result<std::string> parse_route_domain(std::string_view text) {
  if (text == "*") return std::string(text);
  const bool below = text.starts_with("*.") || text.starts_with('.');
  if (below) text.remove_prefix(text.find('.') + 1);
  const auto domain = DomainName::parse(text);
  if (!domain) return tl::unexpected(domain.error());
  return (below ? "*." : "") + domain->str();
}

Result<NextHopText> parse_next_hop(std::string_view text) {
  NextHopText hop;
  std::string_view host = text;
  const std::size_t colon =
      text.starts_with('[') ? text.find(':', std::min(text.find(']'), text.size())) : text.find(':');
  if (colon != std::string_view::npos) {
    hop.port = parse_port(text.substr(colon + 1));
    if (!hop.port)
      return fail(ErrorKind::Malformed, "what follows the colon is no port; an address stands in brackets");
    host = text.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto address = IpAddress::parse(host.substr(1, host.size() - 2));
    if (!address) return fail(ErrorKind::Malformed, "what stands in brackets is no IP address");
    hop.address = *address;
    return hop;
  }
  const auto name = DomainName::parse(host);
  if (!name) return fail(ErrorKind::Malformed, name.error().detail + "; an address stands in brackets");
  hop.name = name->str();
  return hop;
}

}  // namespace waxwing
