#include "policy/scram_keys.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <optional>
#include <utility>

#include "policy/base64.h"

namespace waxwing {
namespace {

constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
static_assert(kScramKeyOctets == SHA256_DIGEST_LENGTH);

const std::uint8_t* octets_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::uint8_t* octets_of(Secret& secret) {
  return reinterpret_cast<std::uint8_t*>(secret.writable());
}

Secret hmac_sha256(std::string_view key, std::string_view text) {
  Secret code = Secret::zeros(kScramKeyOctets);
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), key.size(), octets_of(text), text.size(), octets_of(code), &size);
  return code;
}

// What stands in front of `separator`, which goes too.
std::optional<std::string_view> take_field(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end + 1);
  return field;
}

std::optional<std::uint32_t> parse_iterations(std::string_view text) {
  std::uint32_t iterations = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, iterations);
  if (error != std::errc() || stop != end) return std::nullopt;
  if (iterations < kMinScramIterations || iterations > kMaxScramIterations) return std::nullopt;
  return iterations;
}

std::optional<Secret> parse_key(std::string_view text) {
  Secret key = Secret::zeros(text.size() / 4 * 3);
  const auto size = decode_base64_into(text, {key.writable(), key.size()});
  if (!size || *size != kScramKeyOctets) return std::nullopt;
  return Secret(key.reveal().substr(0, *size));
}

}  // namespace

bool is_scram_text(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

ScramClientKeys derive_scram_client_keys(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  Secret salted = Secret::zeros(kScramKeyOctets);
  PKCS5_PBKDF2_HMAC(password.data(), password.size(), octets_of(salt), salt.size(), iterations, EVP_sha256(),
                    salted.size(), octets_of(salted));
  return {hmac_sha256(salted.reveal(), "Client Key"), hmac_sha256(salted.reveal(), "Server Key")};
}

ScramKeys derive_scram_keys(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  ScramClientKeys derived = derive_scram_client_keys(password, salt, iterations);
  return {iterations, std::string(salt), scram_stored_key(derived.client_key.reveal()), std::move(derived.server_key)};
}

Secret scram_stored_key(std::string_view client_key) {
  Secret digest = Secret::zeros(kScramKeyOctets);
  SHA256(octets_of(client_key), client_key.size(), octets_of(digest));
  return digest;
}

Secret scram_signature(std::string_view key, std::string_view auth_message) {
  return hmac_sha256(key, auth_message);
}

void scram_xor(Secret& octets, std::string_view with) {
  assert(octets.size() == with.size());
  for (std::size_t i = 0; i < with.size(); ++i)
    octets.writable()[i] = static_cast<char>(octets.writable()[i] ^ with[i]);
}

bool scram_equal(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

Result<ScramKeys> parse_scram_keys(std::string_view text) {
  const auto malformed = [] { return fail(ErrorKind::Malformed, "these are no keys of SCRAM-SHA-256"); };
  if (text.size() > kMaxScramKeysOctets || !text.starts_with(kPrefix)) return malformed();
  text.remove_prefix(kPrefix.size());
  const auto iterations_text = take_field(text, ':');
  const auto salt_text = take_field(text, '$');
  const auto stored_key_text = take_field(text, ':');
  if (!iterations_text || !salt_text || !stored_key_text) return malformed();
  const auto iterations = parse_iterations(*iterations_text);
  auto stored_key = parse_key(*stored_key_text);
  auto server_key = parse_key(text);
  std::string salt(salt_text->size() / 4 * 3, '\0');
  const auto salt_octets = decode_base64_into(*salt_text, salt);
  if (!iterations || !stored_key || !server_key || !salt_octets) return malformed();
  salt.resize(*salt_octets);
  if (salt.empty() || salt.size() > kMaxScramSaltOctets) return malformed();
  return ScramKeys{*iterations, std::move(salt), std::move(*stored_key), std::move(*server_key)};
}

std::string scram_keys_text(const ScramKeys& keys) {
  return fmt::format("{}{}:{}${}:{}", kPrefix, keys.iterations, encode_base64(keys.salt),
                     encode_base64(keys.stored_key.reveal()), encode_base64(keys.server_key.reveal()));
}

}  // namespace waxwing
