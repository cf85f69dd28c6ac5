#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace waxwing {

/// A domain name found in a DNS message.
struct WireName {
  std::string text;      ///< as Question::name: lower case, unusual octets as `\DDD`, "." for the root
  std::size_t next = 0;  ///< offset of the octet behind it
};

/// Reads the name at `offset`, following compression pointers, which may only point backwards.
/// @return        no value: it leaves the message, is longer than 255 octets, or its pointers do not go back
/// @limits        255 octets and 127 pointers
/// @source        RFC 1035 §3.1, RFC 1035 §4.1.4
[[nodiscard]] std::optional<WireName> read_wire_name(std::span<const std::uint8_t> message, std::size_t offset);

}  // namespace waxwing
