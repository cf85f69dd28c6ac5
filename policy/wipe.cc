#include "policy/wipe.h"

#include <openssl/mem.h>

namespace waxwing {

void wipe(std::span<char> octets) {
  OPENSSL_cleanse(octets.data(), octets.size());
}

}  // namespace waxwing
