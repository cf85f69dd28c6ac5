#include "relay/config/config.h"

namespace waxwing {

IpAddress ipv4_loopback() {
  return *IpAddress::parse("127.0.0.1");
}

std::vector<ListenerConfig> default_listeners() {
  ListenerConfig local;
  local.name = "local";
  local.address = ipv4_loopback();
  local.bare_line_ends = ListenerConfig::BareLineEnds::Fix;
  return {local};
}

}  // namespace waxwing
