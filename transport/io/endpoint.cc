#include "transport/io/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace waxwing {
namespace {

template <class Native>
Native read_as(const sockaddr_storage& storage) {
  Native native;
  std::memcpy(&native, &storage, sizeof native);
  return native;
}

template <std::size_t N>
Result<Endpoint> make(const std::array<std::uint8_t, N>& octets, in_port_t port) {
  Result<IpAddress> address = IpAddress::from_octets(octets);
  if (!address) return tl::unexpected(address.error());
  return Endpoint{.address = *address, .port = ntohs(port)};
}

}  // namespace

std::string Endpoint::str() const {
  if (address.family() == IpAddress::Family::V6) return fmt::format("[{}]:{}", address.str(), port);
  return fmt::format("{}:{}", address.str(), port);
}

sockaddr_storage Endpoint::to_socket_address() const {
  sockaddr_storage storage{};
  const std::span<const std::uint8_t> octets = address.octets();
  if (address.family() == IpAddress::Family::V4) {
    sockaddr_in native{};
    native.sin_family = AF_INET;
    native.sin_port = htons(port);
    std::memcpy(&native.sin_addr, octets.data(), sizeof native.sin_addr);
    std::memcpy(&storage, &native, sizeof native);
  } else {
    sockaddr_in6 native{};
    native.sin6_family = AF_INET6;
    native.sin6_port = htons(port);
    std::memcpy(&native.sin6_addr, octets.data(), sizeof native.sin6_addr);
    std::memcpy(&storage, &native, sizeof native);
  }
  return storage;
}

Result<Endpoint> Endpoint::from_socket_address(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto native = read_as<sockaddr_in>(address);
    std::array<std::uint8_t, 4> octets;
    std::memcpy(octets.data(), &native.sin_addr, octets.size());
    return make(octets, native.sin_port);
  }
  if (address.ss_family == AF_INET6) {
    const auto native = read_as<sockaddr_in6>(address);
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), &native.sin6_addr, octets.size());
    return make(octets, native.sin6_port);
  }
  return fail(ErrorKind::Malformed, "the socket's address is neither IPv4 nor IPv6");
}

}  // namespace waxwing
