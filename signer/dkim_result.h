#pragma once

#include <string>
#include <string_view>

namespace waxwing {

/// What became of one signature. @source RFC 8601 §2.7.1
enum class DkimResult {
  None,       ///< not signed
  Pass,       ///< verified
  Fail,       ///< the message or the signature was changed
  Policy,     ///< understood, but with means that prove nothing any more: rsa-sha1, a short key, an expired signature
  Neutral,    ///< not looked at, since there are too many
  TempError,  ///< the key could not be looked up; another attempt may give a result
  PermError,  ///< syntax, or a key record that is missing, revoked, or does not allow this signature
};

/// "none", "pass", … as in Authentication-Results.
[[nodiscard]] std::string_view dkim_result_name(DkimResult result);

/// Why a signature does not count.
struct SignatureFault {
  DkimResult result;
  std::string detail;  ///< a phrase for people, printable ASCII
};

}  // namespace waxwing
