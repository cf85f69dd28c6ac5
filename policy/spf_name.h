#pragma once

#include <string>
#include <string_view>

#include "policy/ip_address.h"

namespace waxwing {

/// Whether a name can be asked for: labels of 1 to 63 octets, 253 in all.
[[nodiscard]] bool is_askable_name(std::string_view name);

/// The form of Question::name of what macros made: lower case, odd octets escaped, too long a name without its first
/// labels.
/// @source  RFC 7208 §7.3
[[nodiscard]] std::string question_name(std::string_view expanded);

/// The `i` macro: dotted quad, or nibbles in upper case with dots between.
/// @source  RFC 7208 §7.3
[[nodiscard]] std::string dotted_address(const IpAddress& address);

/// Owner of the PTR records of an address.
[[nodiscard]] std::string reverse_name(const IpAddress& address);

/// Whether `name` is `ancestor` or lies below it, whatever the case.
[[nodiscard]] bool is_name_within(std::string_view name, std::string_view ancestor);

}  // namespace waxwing
