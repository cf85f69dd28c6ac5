#include "policy/wipe.h"

#include <openssl/mem.h>

#ifndef OPENSSL_IS_BORINGSSL
#error "policy/ is written for BoringSSL; another libcrypto's headers came first in the include path"
#endif

namespace waxwing {

void wipe(std::span<char> octets) {
  OPENSSL_cleanse(octets.data(), octets.size());
}

void wipe(std::string& octets) {
  wipe(std::span(octets));
  octets.clear();
}

}  // namespace waxwing
