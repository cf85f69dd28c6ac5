#include "transport/dns/wire_name.h"

#include <fmt/format.h>

#include <iterator>

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 255;  // length octets and the root label included
constexpr std::uint8_t kPointerBits = 0xc0;

void append_octet(std::string& text, std::uint8_t octet) {
  const bool printable = octet > 0x20 && octet < 0x7f && octet != '.' && octet != '\\';
  if (!printable) {
    fmt::format_to(std::back_inserter(text), "\\{:03}", octet);
  } else if (octet >= 'A' && octet <= 'Z') {
    text += static_cast<char>(octet + ('a' - 'A'));
  } else {
    text += static_cast<char>(octet);
  }
}

}  // namespace

std::optional<WireName> read_wire_name(std::span<const std::uint8_t> message, std::size_t offset) {
  WireName name;
  std::size_t octets = 0;
  std::size_t segment_start = offset;  // each pointer must aim before it, so that following them ends
  while (offset < message.size()) {
    const std::uint8_t length = message[offset];
    if ((length & kPointerBits) == kPointerBits) {
      if (offset + 1 >= message.size()) return std::nullopt;
      const std::size_t target = (length & 0x3fu) * 256u + message[offset + 1];
      if (target >= segment_start) return std::nullopt;
      if (name.next == 0) name.next = offset + 2;
      offset = segment_start = target;
      continue;
    }
    if ((length & kPointerBits) != 0) return std::nullopt;
    octets += 1u + length;
    if (octets > kMaxNameOctets) return std::nullopt;
    if (length == 0) {
      if (name.next == 0) name.next = offset + 1;
      if (name.text.empty()) name.text += '.';
      return name;
    }
    if (length >= message.size() - offset) return std::nullopt;
    if (!name.text.empty()) name.text += '.';
    for (const std::uint8_t octet : message.subspan(offset + 1, length)) append_octet(name.text, octet);
    offset += 1u + length;
  }
  return std::nullopt;
}

}  // namespace waxwing
