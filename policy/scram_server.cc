#include "policy/scram_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "policy/base64.h"
#include "policy/scram_message.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxBindingNameOctets = 64;

// RFC 5802 §7: 1*(ALPHA / DIGIT / "." / "-").
bool is_binding_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxBindingNameOctets && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

tl::unexpected<Error> broken_first() {
  return fail(ErrorKind::Malformed, "the first SCRAM message breaks the grammar");
}

}  // namespace

Result<void> ScramServer::read_first(std::string_view client_first) {
  const std::size_t flag_end = client_first.find(',');
  const std::size_t end = flag_end == client_first.npos ? flag_end : client_first.find(',', flag_end + 1);
  if (end == client_first.npos) return broken_first();
  gs2_header_ = client_first.substr(0, end + 1);
  auto read = read_gs2_header(client_first.substr(0, flag_end), client_first.substr(flag_end + 1, end - flag_end - 1));
  if (read) read = read_bare(client_first.substr(end + 1));
  if (!read) return read;
  if (!authorization_.empty() && authorization_ != user_)
    return fail(ErrorKind::Denied, "acting as another user is not allowed");
  return judge_channel_binding();
}

Result<void> ScramServer::read_gs2_header(std::string_view flag, std::string_view authorization) {
  if (flag.starts_with("p=") && is_binding_name(flag.substr(2)))
    channel_binding_type_ = flag.substr(2);
  else if (flag != "n" && flag != "y")
    return broken_first();
  if (authorization.empty()) return {};
  if (!authorization.starts_with("a=")) return broken_first();
  auto name = decode_scram_name(authorization.substr(2));
  if (!name) return tl::unexpected(std::move(name.error()));
  authorization_ = std::move(*name);
  return {};
}

// User name, nonce, and extensions that nobody must know.
Result<void> ScramServer::read_bare(std::string_view text) {
  const auto attributes = parse_scram_attributes(text);
  if (attributes && attributes->front().name == 'm')
    return fail(ErrorKind::Malformed, "extensions of SCRAM are not known here");
  if (!attributes || attributes->size() < 2 || (*attributes)[0].name != 'n' || (*attributes)[1].name != 'r' ||
      !is_scram_nonce((*attributes)[1].value))
    return broken_first();
  auto user = decode_scram_name((*attributes)[0].value);
  if (!user) return tl::unexpected(std::move(user.error()));
  if (user->size() > kMaxScramUserOctets) return fail(ErrorKind::Malformed, "the user name is too long");
  user_ = std::move(*user);
  first_bare_ = text;
  nonce_ = (*attributes)[1].value;
  return {};
}

// RFC 5802 §6.
Result<void> ScramServer::judge_channel_binding() const {
  const bool binds = !channel_binding_type_.empty();
  if (binds != (chosen_ == Mechanism::Sha256Plus))
    return fail(ErrorKind::Denied, "SCRAM-SHA-256-PLUS binds to a channel, and SCRAM-SHA-256 does not");
  if (gs2_header_.starts_with('y') && offered_ == ChannelBinding::Offered)
    return fail(ErrorKind::Denied, "SCRAM-SHA-256-PLUS was offered, and somebody has kept that from the client");
  return {};
}

std::string ScramServer::challenge(ScramKeys keys, std::string_view nonce, std::string_view channel_binding) {
  assert(!first_bare_.empty() && is_scram_nonce(nonce));
  keys_ = std::move(keys);
  nonce_ += nonce;
  bound_ = encode_base64(gs2_header_ + std::string(channel_binding));
  challenge_ = fmt::format("r={},s={},i={}", nonce_, encode_base64(keys_.salt), keys_.iterations);
  return challenge_;
}

Result<void> ScramServer::read_final(std::string_view client_final) {
  assert(!challenge_.empty());
  const auto attributes = parse_scram_attributes(client_final);
  if (!attributes || attributes->size() < 3 || (*attributes)[0].name != 'c' || (*attributes)[1].name != 'r' ||
      attributes->back().name != 'p')
    return fail(ErrorKind::Malformed, "the last SCRAM message breaks the grammar");
  const std::string_view proof_text = attributes->back().value;
  Secret proof = Secret::zeros(proof_text.size() / 4 * 3);
  const auto proof_octets = decode_base64_into(proof_text, {proof.writable(), proof.size()});
  if (!proof_octets || *proof_octets != kScramKeyOctets)
    return fail(ErrorKind::Malformed, "the proof of SCRAM is none");
  proof = Secret(proof.reveal().substr(0, kScramKeyOctets));
  if (!scram_equal((*attributes)[1].value, nonce_)) return fail(ErrorKind::Denied, "the nonce of SCRAM is another");
  if (!scram_equal((*attributes)[0].value, bound_))
    return fail(ErrorKind::Denied, "the login is bound to another channel than this one");

  const std::string_view without_proof = client_final.substr(0, client_final.rfind(",p="));
  const std::string auth_message = fmt::format("{},{},{}", first_bare_, challenge_, without_proof);
  scram_xor(proof, scram_signature(keys_.stored_key.reveal(), auth_message).reveal());
  proven_ = scram_equal(scram_stored_key(proof.reveal()).reveal(), keys_.stored_key.reveal());
  server_signature_ = scram_signature(keys_.server_key.reveal(), auth_message);
  return {};
}

std::string ScramServer::final_message() const {
  assert(proven_);
  return "v=" + encode_base64(server_signature_.reveal());
}

}  // namespace waxwing
