#include "policy/ip_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace waxwing {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Network {
  const char* address;
  unsigned prefix_length;
};

// RFC 6890 §2.2.2 with the later entries of the IANA registry.
constexpr Network kSpecialV4[] = {
    {"0.0.0.0", 8},     {"10.0.0.0", 8},      {"100.64.0.0", 10},  {"127.0.0.0", 8},    {"169.254.0.0", 16},
    {"172.16.0.0", 12}, {"192.0.0.0", 24},    {"192.0.2.0", 24},   {"192.88.99.0", 24}, {"192.168.0.0", 16},
    {"198.18.0.0", 15}, {"198.51.100.0", 24}, {"203.0.113.0", 24}, {"224.0.0.0", 3},
};
// Exceptions inside 2000::/3, the only range of global unicast (RFC 6890 §2.2.3, RFC 9637 §6).
constexpr Network kSpecialV6[] = {{"2001::", 23}, {"2001:db8::", 32}, {"2002::", 16}, {"3fff::", 20}};

bool is_in_any(const IpAddress& address, std::span<const Network> networks) {
  return std::ranges::any_of(networks, [&](const Network& network) {
    return address.is_in(*IpAddress::parse(network.address), network.prefix_length);
  });
}

// Longest run of two or more zero groups, the first of equals (RFC 5952 §4.2): {start, length}, length 0 for none.
std::pair<std::size_t, std::size_t> longest_zero_run(std::span<const unsigned, 8> groups) {
  std::size_t best_start = 0;
  std::size_t best_length = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::size_t length = 0;
    while (i + length < groups.size() && groups[i + length] == 0) ++length;
    if (length >= 2 && length > best_length) {
      best_start = i;
      best_length = length;
    }
    i += length;
  }
  return {best_start, best_length};
}

std::string format_v6(std::span<const std::uint8_t> octets) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = octets[2 * i] * 256u + octets[2 * i + 1];
  const auto [start, length] = longest_zero_run(groups);
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (length > 0 && i == start) {
      text += "::";
      i += length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += fmt::format("{:x}", groups[i]);
  }
  return text;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<std::uint8_t, 16> octets{};
  const std::string terminated(text.substr(0, INET6_ADDRSTRLEN + 1));
  if (terminated.size() == text.size() && terminated.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, terminated.c_str(), octets.data()) == 1) return from_octets(std::span(octets).first(4));
    if (inet_pton(AF_INET6, terminated.c_str(), octets.data()) == 1) return from_octets(octets);
  }
  return fail(ErrorKind::Malformed, "the text is not an IPv4 or IPv6 address");
}

Result<IpAddress> IpAddress::from_octets(std::span<const std::uint8_t> octets) {
  if (octets.size() != 4 && octets.size() != 16) {
    return fail(ErrorKind::Malformed, fmt::format("an IP address has 4 or 16 octets, not {}", octets.size()));
  }
  if (octets.size() == 16 && std::ranges::equal(octets.first(12), kMappedPrefix)) octets = octets.subspan(12);
  IpAddress address;
  address.family_ = octets.size() == 4 ? Family::V4 : Family::V6;
  std::ranges::copy(octets, address.octets_.begin());
  return address;
}

std::span<const std::uint8_t> IpAddress::octets() const {
  return std::span(octets_).first(family_ == Family::V4 ? 4 : 16);
}

std::string IpAddress::str() const {
  if (family_ == Family::V6) return format_v6(octets());
  return fmt::format("{}.{}.{}.{}", octets_[0], octets_[1], octets_[2], octets_[3]);
}

bool IpAddress::is_in(const IpAddress& network, unsigned prefix_length) const {
  if (family_ != network.family_ || prefix_length > octets().size() * 8) return false;
  const std::size_t whole = prefix_length / 8;
  if (!std::equal(octets_.begin(), octets_.begin() + static_cast<std::ptrdiff_t>(whole), network.octets_.begin())) {
    return false;
  }
  const unsigned rest = prefix_length % 8;
  return rest == 0 || (octets_[whole] ^ network.octets_[whole]) >> (8 - rest) == 0;
}

bool IpAddress::is_loopback() const {
  if (family_ == Family::V4) return octets_[0] == 127;
  return std::all_of(octets_.begin(), octets_.end() - 1, [](std::uint8_t o) { return o == 0; }) && octets_[15] == 1;
}

bool IpAddress::is_global() const {
  if (family_ == Family::V4) return !is_in_any(*this, kSpecialV4);
  // NAT64 is as global as the IPv4 address behind it (RFC 6052 §3.1).
  if (is_in(*parse("64:ff9b::"), 96)) return from_octets(octets().last(4))->is_global();
  return is_in(*parse("2000::"), 3) && !is_in_any(*this, kSpecialV6);
}

}  // namespace waxwing
