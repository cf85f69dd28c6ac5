#pragma once

#include <span>

namespace waxwing {

/// Overwrites octets that hold a secret, or may, in a way that no compiler leaves out.
void wipe(std::span<char> octets);

}  // namespace waxwing
