#include "relay/server/recipient_fingerprint.h"

#include "policy/ascii.h"
#include "policy/sha256.h"

namespace waxwing {

std::string recipient_fingerprint(const MailAddress& recipient) {
  return sha256(ascii_lower(recipient.str())).substr(0, kFingerprintOctets);
}

}  // namespace waxwing
