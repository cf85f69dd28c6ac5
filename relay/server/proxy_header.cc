#include "relay/server/proxy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

namespace waxwing {
namespace {

constexpr std::string_view kTextMark = "PROXY ";
constexpr std::size_t kMaxTextOctets = 107;  // with CRLF; section 2.1
constexpr std::string_view kBinaryMark("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kBinaryFixedOctets = 16;

std::uint8_t octet(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool plain = text == "0" || !text.starts_with('0');
  return !text.empty() && plain && error == std::errc() && end == text.data() + text.size() && port <= 65'535;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t space = line.find(' ');
    words.push_back(line.substr(0, space));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

std::optional<IpAddress> address_of(std::string_view text, IpAddress::Family family) {
  auto address = IpAddress::parse(text);
  return address && address->family() == family ? std::optional(*address) : std::nullopt;
}

std::optional<IpAddress> binary_address(std::string_view octets) {
  std::string text;
  if (octets.size() == 4) {
    text = fmt::format("{}.{}.{}.{}", octet(octets, 0), octet(octets, 1), octet(octets, 2), octet(octets, 3));
  } else {
    for (std::size_t i = 0; i < octets.size(); i += 2)
      text += fmt::format("{}{:x}", i == 0 ? "" : ":", octet(octets, i) << 8 | octet(octets, i + 1));
  }
  const auto address = IpAddress::parse(text);
  return address ? std::optional(*address) : std::nullopt;
}

}  // namespace

ProxyHeaderReader::State ProxyHeaderReader::on_bytes(std::string_view octets) {
  input_.append(octets);
  const std::string_view input = input_.view();
  if (input.substr(0, kTextMark.size()) == kTextMark.substr(0, input.size())) return read_text();
  if (input.substr(0, kBinaryMark.size()) == kBinaryMark.substr(0, input.size())) return read_binary();
  return State::Invalid;
}

ProxyHeaderReader::State ProxyHeaderReader::read_text() {
  const std::string_view input = input_.view();
  const std::size_t end = input.substr(0, kMaxTextOctets).find("\r\n");
  if (end == std::string_view::npos) return input.size() < kMaxTextOctets ? State::More : State::Invalid;
  const std::vector<std::string_view> words = words_of(input.substr(0, end));
  header_octets_ = end + 2;
  if (words[1] == "UNKNOWN") return State::Done;  // what follows is to be ignored
  const bool is_v4 = words[1] == "TCP4";
  if ((!is_v4 && words[1] != "TCP6") || words.size() != 6) return State::Invalid;
  const IpAddress::Family family = is_v4 ? IpAddress::Family::V4 : IpAddress::Family::V6;
  client_ = address_of(words[2], family);
  if (!client_ || !address_of(words[3], family) || !is_port(words[4]) || !is_port(words[5])) return State::Invalid;
  return State::Done;
}

ProxyHeaderReader::State ProxyHeaderReader::read_binary() {
  const std::string_view input = input_.view();
  if (input.size() < kBinaryFixedOctets) return State::More;
  const std::size_t length = static_cast<std::size_t>(octet(input, 14)) << 8 | octet(input, 15);
  const unsigned command = octet(input, 12);
  if ((command != 0x20 && command != 0x21) || kBinaryFixedOctets + length > kMaxProxyHeaderOctets)
    return State::Invalid;
  if (input.size() < kBinaryFixedOctets + length) return State::More;
  header_octets_ = kBinaryFixedOctets + length;
  if (command == 0x20) return State::Done;  // LOCAL
  const std::string_view addresses = input.substr(kBinaryFixedOctets, length);
  switch (octet(input, 13)) {
    case 0x11:  // TCP over IPv4
      if (length < 12) return State::Invalid;
      client_ = binary_address(addresses.substr(0, 4));
      break;
    case 0x21:  // TCP over IPv6
      if (length < 36) return State::Invalid;
      client_ = binary_address(addresses.substr(0, 16));
      break;
    case 0x00:  // unspecified
      return State::Done;
    default:
      return State::Invalid;
  }
  return client_ ? State::Done : State::Invalid;
}

}  // namespace waxwing
