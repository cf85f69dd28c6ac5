#pragma once

#include <string>

#include "policy/mail_address.h"

namespace waxwing {

/// What stands for a recipient where it is only to be recognised: whom an account writes to should not lie about in clear.
/// Capital letters make no difference.
/// @return  kFingerprintOctets octets
[[nodiscard]] std::string recipient_fingerprint(const MailAddress& recipient);

inline constexpr std::size_t kFingerprintOctets = 16;

}  // namespace waxwing
