#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace waxwing {

/// What a caller can do about a failure of the world (peer, DNS, disk, user). Our own bugs are assertions, and verdicts
/// that an RFC names are enumerations of their own; neither comes this way.
enum class ErrorKind {
  Malformed,    ///< input breaks its grammar; the same input will fail again
  NotFound,     ///< the thing named does not exist
  Conflict,     ///< the thing named exists already, or changed meanwhile
  Denied,       ///< permissions, or a rule of ours, forbid it
  Unavailable,  ///< did not work now; may work later
  Exhausted,    ///< a limit, the disk or the memory is full; may work later
  Corrupt,      ///< stored data is not what we wrote
};

/// A failure: what can be done about it, and one sentence for people that names the thing and, where there is one, the
/// remedy.
struct Error {
  ErrorKind kind;
  std::string detail;
};

/// Either a value or an Error.
template <class T>
using Result = tl::expected<T, Error>;

/// Makes the failed side of any Result.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string detail) {
  return tl::unexpected<Error>(Error{kind, std::move(detail)});
}

}  // namespace waxwing
