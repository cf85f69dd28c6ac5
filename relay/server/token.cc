#include "relay/server/token.h"

#include <openssl/mem.h>
#include <sys/random.h>

#include <array>

#include "policy/base64.h"
#include "policy/sha256.h"

namespace waxwing {

Result<std::string> make_token() {
  std::array<char, 32> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return fail(ErrorKind::Unavailable, "the system gives no random numbers");
  std::string token = "wx_";
  for (const char c : encode_base64({random.data(), random.size()})) {
    if (c != '=') token += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  OPENSSL_cleanse(random.data(), random.size());
  return token;
}

std::string token_digest(std::string_view token) {
  return sha256(token);
}

}  // namespace waxwing
