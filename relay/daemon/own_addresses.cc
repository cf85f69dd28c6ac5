#include "relay/daemon/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>
#include <span>

namespace waxwing {
namespace {

std::optional<IpAddress> address_of(const sockaddr* socket_address) {
  if (socket_address == nullptr) return std::nullopt;
  std::span<const std::uint8_t> octets;
  if (socket_address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(socket_address);
    octets = {reinterpret_cast<const std::uint8_t*>(&v4->sin_addr), sizeof v4->sin_addr};
  } else if (socket_address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(socket_address);
    octets = {reinterpret_cast<const std::uint8_t*>(&v6->sin6_addr), sizeof v6->sin6_addr};
  } else {
    return std::nullopt;
  }
  const auto address = IpAddress::from_octets(octets);
  return address ? std::optional(*address) : std::nullopt;
}

bool is_every_address(const IpAddress& address) {
  return std::ranges::all_of(address.octets(), [](std::uint8_t octet) { return octet == 0; });
}

}  // namespace

std::vector<IpAddress> local_addresses() {
  std::vector<IpAddress> addresses;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return addresses;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (const auto address = address_of(at->ifa_addr)) addresses.push_back(*address);
  }
  ::freeifaddrs(first);
  return addresses;
}

std::vector<MailEndpoint> own_mail_endpoints(const Config& config, const std::vector<IpAddress>& local) {
  std::vector<MailEndpoint> own;
  for (const ListenerConfig& listener : config.listeners) {
    if (!listener.socket.empty()) continue;
    const auto add = [&own, &listener](const IpAddress& address) { own.push_back({address, listener.port}); };
    if (is_every_address(listener.address)) {
      for (const IpAddress& address : local) {
        if (address.family() == listener.address.family()) add(address);  // a listener on "::" takes no IPv4
      }
    } else {
      add(listener.address);
    }
    if (!listener.address.is_loopback()) std::ranges::for_each(config.egress_addresses, add);
  }
  std::ranges::sort(own);
  const auto repeated = std::ranges::unique(own);
  own.erase(repeated.begin(), repeated.end());
  return own;
}

}  // namespace waxwing
