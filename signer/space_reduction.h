#pragma once

#include <cstddef>
#include <string_view>

namespace waxwing {

/// Reduces white space as relaxed body canonicalisation does: each run becomes one SP, and goes away in front of CRLF.
/// @param octets  end neither in white space, since what follows decides about it, nor between CR and LF
/// @param out     room for octets.size(); other memory than `octets`
/// @return        how many octets were written
/// @limits  the same time whatever the octets are, where the machine has SSSE3
/// @source  RFC 6376 §3.4.4
std::size_t reduce_spaces(std::string_view octets, char* out);

/// The same with nothing but plain C++, for machines that have no better.
std::size_t reduce_spaces_plainly(std::string_view octets, char* out);

}  // namespace waxwing
