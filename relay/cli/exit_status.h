#pragma once

#include "policy/result.h"

namespace waxwing {

/// The status of sysexits.h for a failed command: EX_DATAERR, EX_NOINPUT, EX_CANTCREAT, EX_NOPERM, EX_UNAVAILABLE,
/// EX_TEMPFAIL or EX_IOERR.
[[nodiscard]] int exit_status(ErrorKind kind);

}  // namespace waxwing
