#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// An IPv4 or IPv6 address, octets in network order. An IPv4-mapped IPv6 address is stored as IPv4.
class IpAddress {
 public:
  enum class Family { V4, V6 };

  /// Reads dotted quad or RFC 4291 text; no brackets, no scope.
  /// @errors  Malformed: anything else
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);

  /// Takes 4 octets as IPv4 and 16 as IPv6.
  /// @errors  Malformed: any other length
  [[nodiscard]] static Result<IpAddress> from_octets(std::span<const std::uint8_t> octets);

  [[nodiscard]] Family family() const { return family_; }

  /// 4 or 16 octets; valid as long as this object.
  [[nodiscard]] std::span<const std::uint8_t> octets() const;

  /// Canonical text (RFC 5952 for IPv6).
  [[nodiscard]] std::string str() const;

  /// Whether the first `prefix_length` bits equal those of `network`; false across families.
  /// @param prefix_length  0 to 32 or 0 to 128
  [[nodiscard]] bool is_in(const IpAddress& network, unsigned prefix_length) const;

  /// 127.0.0.0/8 and ::1.
  [[nodiscard]] bool is_loopback() const;

  /// Whether packets to it can reach somebody else's host on the Internet: not loopback, private, link-local,
  /// unique-local, carrier NAT, documentation, multicast, reserved or unspecified.
  /// @source  RFC 6890 §2.2
  [[nodiscard]] bool is_global() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::V4;
  std::array<std::uint8_t, 16> octets_{};
};

}  // namespace waxwing
