#include "policy/scram_client.h"

#include <fmt/format.h>

#include <cassert>
#include <charconv>
#include <cstdint>
#include <utility>

#include "policy/base64.h"
#include "policy/scram_message.h"

namespace waxwing {
namespace {

constexpr std::string_view kNoChannelBinding = "n,,";
constexpr std::size_t kMaxIterationDigits = 9;

struct ServerFirst {
  std::string_view nonce;
  std::string salt;
  std::uint32_t iterations = 0;
};

Result<std::uint32_t> parse_iterations(std::string_view text) {
  std::uint32_t iterations = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, iterations);
  if (error != std::errc() || stop != end || text.size() > kMaxIterationDigits)
    return fail(ErrorKind::Malformed, "its SCRAM iteration count is no number");
  if (iterations < kMinScramIterations || iterations > kMaxScramIterations) {
    return fail(ErrorKind::Exhausted,
                fmt::format("it asks for {} iterations of SCRAM, and {} to {} are made (RFC 7677 §4)", iterations,
                            kMinScramIterations, kMaxScramIterations));
  }
  return iterations;
}

Result<ServerFirst> parse_server_first(std::string_view text) {
  const auto attributes = parse_scram_attributes(text);
  if (attributes && attributes->front().name == 'm')
    return fail(ErrorKind::Denied, "it asks for an extension of SCRAM (RFC 5802 §5.1)");
  if (!attributes || attributes->size() < 3 || (*attributes)[0].name != 'r' || (*attributes)[1].name != 's' ||
      (*attributes)[2].name != 'i')
    return fail(ErrorKind::Malformed, "its first SCRAM message breaks the grammar");
  ServerFirst first;
  first.nonce = (*attributes)[0].value;
  if (!is_scram_nonce(first.nonce)) return fail(ErrorKind::Malformed, "its SCRAM nonce is none");
  auto salt = decode_base64((*attributes)[1].value);
  if (!salt || salt->empty() || salt->size() > kMaxScramSaltOctets)
    return fail(ErrorKind::Malformed, "its SCRAM salt is none");
  first.salt = std::move(*salt);
  const auto iterations = parse_iterations((*attributes)[2].value);
  if (!iterations) return tl::unexpected(iterations.error());
  first.iterations = *iterations;
  return first;
}

}  // namespace

bool ScramClient::can_say(std::string_view user, std::string_view password) {
  return is_scram_text(user) && is_scram_text(password);
}

ScramClient::ScramClient(std::string_view user, std::string_view password, std::string_view nonce)
    : first_bare_(fmt::format("n={},r={}", encode_scram_name(user), nonce)), nonce_(nonce), password_(password) {
  assert(can_say(user, password) && is_scram_nonce(nonce));
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
  const std::string auth_message = fmt::format("{},{},{}", first_bare_, server_first, without_proof);

  ScramClientKeys keys = derive_scram_client_keys(password_.reveal(), first->salt, first->iterations);
  const Secret stored_key = scram_stored_key(keys.client_key.reveal());
  server_signature_ = scram_signature(keys.server_key.reveal(), auth_message);
  Secret proof = std::move(keys.client_key);
  scram_xor(proof, scram_signature(stored_key.reveal(), auth_message).reveal());
  return fmt::format("{},p={}", without_proof, encode_base64(proof.reveal()));
}

Result<void> ScramClient::verify(std::string_view server_final) const {
  assert(server_signature_.size() > 0);
  if (server_final.starts_with("e=")) return fail(ErrorKind::Denied, "it says that the SCRAM login failed");
  const auto attributes = parse_scram_attributes(server_final);
  const bool says_signature = attributes && attributes->front().name == 'v';
  auto signature = says_signature ? decode_base64(attributes->front().value) : fail(ErrorKind::Malformed, "");
  if (!signature) return fail(ErrorKind::Malformed, "its last SCRAM message breaks the grammar");
  if (!scram_equal(*signature, server_signature_.reveal()))
    return fail(ErrorKind::Denied, "it did not prove that it knows the password (RFC 5802 §3)");
  return {};
}

}  // namespace waxwing
