#include "policy/scram.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstdint>
#include <optional>

#include "policy/base64.h"
#include "policy/sha256.h"

namespace waxwing {
namespace {

constexpr std::string_view kNoChannelBinding = "n,,";
constexpr std::size_t kMaxSaltOctets = 1'024;
constexpr std::size_t kMaxNonceOctets = 512;
constexpr std::size_t kMaxIterationDigits = 9;

// RFC 5802 §5.1.
std::string escaped_name(std::string_view user) {
  std::string result;
  for (const char c : user) {
    if (c == ',')
      result += "=2C";
    else if (c == '=')
      result += "=3D";
    else
      result += c;
  }
  return result;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7e; });
}

const std::uint8_t* octets_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// A key that wipes itself.
struct Key {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> octets{};
  Key() = default;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { OPENSSL_cleanse(octets.data(), octets.size()); }
  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(octets.data()), octets.size()}; }
};

void hmac(std::string_view key, std::string_view text, Key& out) {
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), key.size(), octets_of(text), text.size(), out.octets.data(), &size);
}

struct ServerFirst {
  std::string_view nonce;
  std::string salt;
  std::uint32_t iterations = 0;
};

// The value of "name=value" in front of `text`, which loses it together with the comma behind.
std::optional<std::string_view> take_attribute(char name, std::string_view& text) {
  if (text.size() < 2 || text[0] != name || text[1] != '=') return std::nullopt;
  const std::string_view value =
      text.substr(2, text.find(',') == std::string_view::npos ? text.npos : text.find(',') - 2);
  text.remove_prefix(std::min(text.size(), value.size() + 3));
  return value;
}

Result<ServerFirst> parse_server_first(std::string_view text) {
  if (text.starts_with("m=")) return fail(ErrorKind::Denied, "it asks for an extension of SCRAM (RFC 5802 §5.1)");
  ServerFirst first;
  const auto nonce = take_attribute('r', text);
  const auto salt = take_attribute('s', text);
  const auto iterations = take_attribute('i', text);
  if (!nonce || !salt || !iterations) return fail(ErrorKind::Malformed, "its first SCRAM message breaks the grammar");
  if (nonce->size() > kMaxNonceOctets || !is_printable(*nonce))
    return fail(ErrorKind::Malformed, "its SCRAM nonce is none");
  first.nonce = *nonce;
  auto decoded = decode_base64(*salt);
  if (!decoded || decoded->empty() || decoded->size() > kMaxSaltOctets)
    return fail(ErrorKind::Malformed, "its SCRAM salt is none");
  first.salt = std::move(*decoded);
  const char* end = iterations->data() + iterations->size();
  const auto [stop, error] = std::from_chars(iterations->data(), end, first.iterations);
  if (error != std::errc() || stop != end || iterations->size() > kMaxIterationDigits)
    return fail(ErrorKind::Malformed, "its SCRAM iteration count is no number");
  if (first.iterations < kMinScramIterations || first.iterations > kMaxScramIterations) {
    return fail(ErrorKind::Exhausted,
                fmt::format("it asks for {} iterations of SCRAM, and {} to {} are made (RFC 7677 §4)", first.iterations,
                            kMinScramIterations, kMaxScramIterations));
  }
  return first;
}

}  // namespace

bool ScramClient::can_say(std::string_view user, std::string_view password) {
  const auto is_text = [](std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
  };
  return is_text(user) && is_text(password);
}

ScramClient::ScramClient(std::string_view user, std::string_view password, std::string_view nonce)
    : first_bare_(fmt::format("n={},r={}", escaped_name(user), nonce)), nonce_(nonce), password_(password) {
  assert(can_say(user, password) && is_printable(nonce) && nonce.find(',') == std::string_view::npos);
}

std::string ScramClient::first_message() const {
  return std::string(kNoChannelBinding) + first_bare_;
}

// RFC 5802 §3.
Result<std::string> ScramClient::final_message(std::string_view server_first) {
  auto first = parse_server_first(server_first);
  if (!first) return tl::unexpected(first.error());
  if (!first->nonce.starts_with(nonce_) || first->nonce.size() == nonce_.size())
    return fail(ErrorKind::Denied, "its SCRAM nonce does not continue ours");
  const std::string without_proof = fmt::format("c={},r={}", encode_base64(kNoChannelBinding), first->nonce);
  const std::string signed_text = fmt::format("{},{},{}", first_bare_, server_first, without_proof);

  Key salted;
  Key client_key;
  Key client_signature;
  Key server_key;
  Key server_signature;
  const std::string_view password = password_.reveal();
  PKCS5_PBKDF2_HMAC(password.data(), password.size(), octets_of(first->salt), first->salt.size(), first->iterations,
                    EVP_sha256(), salted.octets.size(), salted.octets.data());
  hmac(salted.view(), "Client Key", client_key);
  hmac(sha256(client_key.view()), signed_text, client_signature);
  hmac(salted.view(), "Server Key", server_key);
  hmac(server_key.view(), signed_text, server_signature);
  server_signature_ = server_signature.view();
  std::string proof(client_key.view());
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ client_signature.view()[i]);
  return fmt::format("{},p={}", without_proof, encode_base64(proof));
}

Result<void> ScramClient::verify(std::string_view server_final) const {
  assert(!server_signature_.empty());
  if (server_final.starts_with("e=")) return fail(ErrorKind::Denied, "it says that the SCRAM login failed");
  const auto said = take_attribute('v', server_final);
  auto signature = said ? decode_base64(*said) : fail(ErrorKind::Malformed, "");
  if (!signature) return fail(ErrorKind::Malformed, "its last SCRAM message breaks the grammar");
  if (signature->size() != server_signature_.size() ||
      CRYPTO_memcmp(signature->data(), server_signature_.data(), signature->size()) != 0)
    return fail(ErrorKind::Denied, "it did not prove that it knows the password (RFC 5802 §3)");
  return {};
}

}  // namespace waxwing
