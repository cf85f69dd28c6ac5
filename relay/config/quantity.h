#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policy/time_point.h"

namespace waxwing {

/// Reads a length of time as people write it: digits and one of s, m, h, d ("90s", "5d").
/// @return  no value: another shape, or more than 100 years
[[nodiscard]] std::optional<Seconds> parse_duration(std::string_view text);

/// Writes a length of time with the largest unit that divides it: "5d", "90m", "0s".
[[nodiscard]] std::string format_duration(Seconds duration);

/// Reads a number of octets: digits and one of B, KiB, MiB, GiB ("50MiB").
/// @return  no value: another shape, or more than 2^62
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// Writes a number of octets with the largest unit that divides it: "50MiB", "1000B".
[[nodiscard]] std::string format_size(std::uint64_t octets);

/// Reads a TCP port, "587".
/// @return  no value: no whole number from 1 to 65535
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace waxwing
