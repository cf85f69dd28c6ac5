#pragma once

#include <span>
#include <string>

namespace waxwing {

/// Overwrites octets that hold a secret, or may, in a way that no compiler leaves out.
void wipe(std::span<char> octets);

/// The same for what a string holds, and makes it empty. What it held in buffers that it has outgrown stays.
void wipe(std::string& octets);

}  // namespace waxwing
