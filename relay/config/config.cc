#include "relay/config/config.h"

#include <algorithm>

namespace waxwing {

IpAddress ipv4_loopback() {
  return *IpAddress::parse("127.0.0.1");
}

bool keeps_scram_keys(const Config& config) {
  return std::ranges::any_of(config.listeners, [](const ListenerConfig& listener) {
    return listener.protocol != ListenerConfig::Protocol::Http && listener.scram != ListenerConfig::Scram::Off;
  });
}

std::vector<ListenerConfig> default_listeners() {
  ListenerConfig local;
  local.name = "local";
  local.address = ipv4_loopback();
  local.bare_line_ends = ListenerConfig::BareLineEnds::Fix;
  return {local};
}

}  // namespace waxwing
