#include "relay/cli/exit_status.h"

#include <sysexits.h>

namespace waxwing {

int exit_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Malformed:
      return EX_DATAERR;
    case ErrorKind::NotFound:
      return EX_NOINPUT;
    case ErrorKind::Conflict:
      return EX_CANTCREAT;
    case ErrorKind::Denied:
      return EX_NOPERM;
    case ErrorKind::Unavailable:
      return EX_UNAVAILABLE;
    case ErrorKind::Exhausted:
      return EX_TEMPFAIL;
    case ErrorKind::Corrupt:
      break;
  }
  return EX_IOERR;
}

}  // namespace waxwing
