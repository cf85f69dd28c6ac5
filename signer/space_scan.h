#pragma once

#include <cstddef>
#include <string_view>

namespace waxwing {

/// Where relaxed body canonicalisation first has something to reduce: a TAB, or a SP that is followed by SP, TAB, CR or
/// nothing. Everything before stays as it is.
/// @return  an index, or the length when there is none
/// @limits  sixteen octets at a time
/// @source  RFC 6376 §3.4.4
[[nodiscard]] std::size_t find_reducible_space(std::string_view octets);

}  // namespace waxwing
