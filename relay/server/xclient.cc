#include "relay/server/xclient.h"

#include <algorithm>
#include <array>
#include <set>

#include "policy/ascii.h"
#include "policy/delivery_notice.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxValueOctets = 255;

bool says_nothing(std::string_view value) {
  return ascii_iequal(value, "[UNAVAILABLE]") || ascii_iequal(value, "[TEMPUNAVAIL]");
}

Result<IpAddress> client_address(std::string_view value) {
  constexpr std::string_view kIpv6Mark = "IPV6:";
  if (!ascii_istarts_with(value, kIpv6Mark)) return IpAddress::parse(value);
  return IpAddress::parse(value.substr(kIpv6Mark.size()));
}

Result<void> apply(const std::string& name, const std::string& value, XclientFacts& facts) {
  static constexpr std::array kPassedOver = {"name", "port", "proto", "destaddr", "destport"};
  if (name == "login") {
    facts.login = says_nothing(value) ? std::string() : value;
    return {};
  }
  if (std::ranges::find(kPassedOver, name) != kPassedOver.end()) return {};
  if (name != "addr" && name != "helo") return fail(ErrorKind::Malformed, "XCLIENT has no such attribute");
  if (says_nothing(value)) return {};
  if (name == "helo") {
    facts.helo = value;
    return {};
  }
  auto address = client_address(value);
  if (!address) return fail(ErrorKind::Malformed, "XCLIENT ADDR is not an address");
  facts.address = *address;
  return {};
}

}  // namespace

Result<XclientFacts> parse_xclient(std::string_view attributes) {
  XclientFacts facts;
  std::set<std::string> seen;
  while (true) {
    attributes.remove_prefix(std::min(attributes.find_first_not_of(' '), attributes.size()));
    if (attributes.empty()) break;
    const std::string_view word = attributes.substr(0, attributes.find(' '));
    attributes.remove_prefix(word.size());
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos)
      return fail(ErrorKind::Malformed, "XCLIENT attributes go like ADDR=192.0.2.1");
    const std::string name = ascii_lower(word.substr(0, equals));
    const auto value = decode_xtext(word.substr(equals + 1));
    if (!value || value->empty() || value->size() > kMaxValueOctets)
      return fail(ErrorKind::Malformed, "a value of XCLIENT is xtext of at most 255 octets");
    if (!seen.insert(name).second) return fail(ErrorKind::Malformed, "an attribute of XCLIENT stands twice");
    if (auto applied = apply(name, *value, facts); !applied) return tl::unexpected(std::move(applied.error()));
  }
  if (seen.empty()) return fail(ErrorKind::Malformed, "XCLIENT attributes go like ADDR=192.0.2.1");
  return facts;
}

}  // namespace waxwing
