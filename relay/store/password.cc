#include "relay/store/password.h"

#include <crypt.h>
#include <openssl/rand.h>
#include <string.h>

#include <array>
#include <memory>

#include "policy/scram_keys.h"

namespace waxwing {
namespace {

constexpr const char* kYescrypt = "$y$";

// Working memory of crypt(3), wiped when it is given back.
struct CryptMemory {
  CryptMemory() : data(std::make_unique<crypt_data>()) {}
  ~CryptMemory() { explicit_bzero(data.get(), sizeof(crypt_data)); }
  CryptMemory(const CryptMemory&) = delete;
  CryptMemory& operator=(const CryptMemory&) = delete;
  std::unique_ptr<crypt_data> data;
};

bool is_usable(std::string_view password) {
  return !password.empty() && password.size() <= kMaxPasswordOctets && password.find('\0') == std::string_view::npos;
}

// The hash, empty when the setting is none.
std::string crypt_with(std::string_view password, const std::string& setting) {
  std::array<char, kMaxPasswordOctets + 1> phrase{};
  password.copy(phrase.data(), kMaxPasswordOctets);
  const CryptMemory memory;
  const char* hash = ::crypt_rn(phrase.data(), setting.c_str(), memory.data.get(), sizeof(crypt_data));
  explicit_bzero(phrase.data(), phrase.size());
  return hash == nullptr ? std::string() : std::string(hash);
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
  if (!is_usable(password)) return fail(ErrorKind::Malformed, "a password has 1 to 255 octets and no NUL");
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (::crypt_gensalt_rn(kYescrypt, 0, nullptr, 0, setting.data(), setting.size()) == nullptr) {
    return fail(ErrorKind::Unavailable, "the system gives no random numbers for a salt");
  }
  std::string hash = crypt_with(password, setting.data());
  if (hash.empty()) return fail(ErrorKind::Unavailable, "the system's crypt(3) cannot make yescrypt hashes");
  return hash;
}

Result<std::string> make_scram_keys(std::string_view password) {
  if (!is_usable(password) || !is_scram_text(password))
    return fail(ErrorKind::Malformed, "SCRAM is for passwords of 1 to 255 printable ASCII characters");
  std::string salt(kScramSaltOctets, '\0');
  if (RAND_bytes(reinterpret_cast<std::uint8_t*>(salt.data()), salt.size()) != 1)
    return fail(ErrorKind::Unavailable, "there are no random octets for a salt");
  return scram_keys_text(derive_scram_keys(password, salt, kScramIterations));
}

bool verify_password(std::string_view password, std::string_view password_hash) {
  if (!is_usable(password) || !password_hash.starts_with('$') || password_hash.size() >= CRYPT_OUTPUT_SIZE)
    return false;
  const std::string computed = crypt_with(password, std::string(password_hash));
  if (computed.size() != password_hash.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < computed.size(); ++i) {
    difference |=
        static_cast<unsigned>(static_cast<unsigned char>(computed[i]) ^ static_cast<unsigned char>(password_hash[i]));
  }
  return difference == 0;
}

std::string_view dummy_password_hash() {
  return "$y$j9T$dPqnjPKaSOcwYvb1QSu5Q/$eqAtszOYZ4kB1Lenpvc42gR1ZppnF5XN.y17f3YTYu5";
}

}  // namespace waxwing
