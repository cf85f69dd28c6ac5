#pragma once

#include <iosfwd>

namespace waxwing {

/// Where the command line reads and writes; references outlive it.
struct CliStreams {
  std::istream& in;   ///< passwords, when they come from no terminal and no file
  std::ostream& out;  ///< what was asked for
  std::ostream& err;  ///< mistakes and hints
};

}  // namespace waxwing
