#include "relay/server/verified_logins.h"

#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include <cassert>

namespace waxwing {

VerifiedLogins::VerifiedLogins(Milliseconds lifetime) : lifetime_(lifetime) {
  RAND_bytes(key_.data(), key_.size());
}

VerifiedLogins::~VerifiedLogins() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

// The stored hash goes in, so that the code is good only while the account keeps it. No part can hold the NUL that
// stands between them: hashes and names are printable, and the password is the last.
LoginCode VerifiedLogins::code_for(const Account& account, std::string_view password) const {
  std::string message = account.name + '\0' + account.password_hash + '\0';
  message.append(password);
  LoginCode code{};
  unsigned length = 0;
  const bool made = HMAC(EVP_sha256(), key_.data(), key_.size(), reinterpret_cast<const std::uint8_t*>(message.data()),
                         message.size(), code.data(), &length) != nullptr;
  OPENSSL_cleanse(message.data(), message.size());
  assert(made && length == code.size());
  (void)made;
  return code;
}

bool VerifiedLogins::contains(const std::string& account, const LoginCode& code, MonotonicTime now) const {
  const auto entry = entries_.find(account);
  return entry != entries_.end() && now < entry->second.expiry &&
         CRYPTO_memcmp(entry->second.code.data(), code.data(), code.size()) == 0;
}

void VerifiedLogins::remember(const std::string& account, const LoginCode& code, MonotonicTime verified) {
  if (entries_.size() >= kMaxVerifiedLogins && !entries_.contains(account)) {
    std::erase_if(entries_, [verified](const auto& entry) { return entry.second.expiry <= verified; });
    if (entries_.size() >= kMaxVerifiedLogins) entries_.erase(entries_.begin());
  }
  entries_.insert_or_assign(account, Entry{code, verified + lifetime_});
}

}  // namespace waxwing
