// An exchange of SCRAM proves something to who knows the password, and to nobody else, whatever the client says. Keys come
// back from their text as they were.
//
// Input: three lines. The mechanism ("plus" or another word), what the client says first, and what it says last, where
// "%" stands for the nonces of both and a proof "!" for the right one; then keys as they are stored.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "policy/base64.h"
#include "policy/scram_keys.h"
#include "policy/scram_message.h"
#include "policy/scram_server.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr std::string_view kNonce = "server";
constexpr std::string_view kChannel = "this channel";

// Not derived for each input: that is what makes it slow.
ScramClientKeys client_keys() {
  return {Secret(std::string(kScramKeyOctets, 'c')), Secret(std::string(kScramKeyOctets, 's'))};
}

ScramKeys server_keys() {
  ScramClientKeys client = client_keys();
  return {kMinScramIterations, "salt", scram_stored_key(client.client_key.reveal()), std::move(client.server_key)};
}

std::string right_proof(const std::string& auth_message) {
  Secret proof = std::move(client_keys().client_key);
  const Secret stored_key = scram_stored_key(proof.reveal());
  scram_xor(proof, scram_signature(stored_key.reveal(), auth_message).reveal());
  return encode_base64(proof.reveal());
}

void read_keys(std::string_view text) {
  const auto keys = parse_scram_keys(text);
  if (!keys) return;
  require(keys->iterations >= kMinScramIterations && keys->iterations <= kMaxScramIterations, "iterations are bounded");
  const auto again = parse_scram_keys(scram_keys_text(*keys));
  require(again && again->salt == keys->salt && scram_keys_text(*again) == scram_keys_text(*keys),
          "keys come back from their text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const bool plus = source.line() == "plus";
  const std::string_view first = source.line();
  std::string last(source.line());
  read_keys(source.rest());

  ScramServer server(plus ? ScramServer::Mechanism::Sha256Plus : ScramServer::Mechanism::Sha256,
                     ScramServer::ChannelBinding::Offered);
  if (!server.read_first(first)) return 0;
  require(!server.user().empty() && server.user().size() <= kMaxScramUserOctets, "a user has a name");
  require(server.channel_binding_type().empty() != plus, "a channel is bound if, and only if, the mechanism says so");
  const std::string_view bare = first.substr(first.find(',', first.find(',') + 1) + 1);
  const std::string challenge = server.challenge(server_keys(), kNonce, plus ? kChannel : "");
  const auto attributes = parse_scram_attributes(challenge);
  require(attributes && attributes->size() == 3, "a challenge has three attributes");

  const std::string both(attributes->front().value);
  if (const std::size_t at = last.find('%'); at != std::string::npos) last.replace(at, 1, both);
  const std::string without_proof = last.substr(0, last.rfind(",p="));
  const std::string proof = right_proof(std::string(bare) + "," + challenge + "," + without_proof);
  if (last.ends_with(",p=!")) last = without_proof + ",p=" + proof;
  const bool read = server.read_final(last).has_value();
  require(read || !server.is_proven(), "what cannot be read proves nothing");
  if (!read) return 0;
  const bool is_right = *decode_base64(last.substr(last.rfind(",p=") + 3)) == *decode_base64(proof);
  require(server.is_proven() == is_right, "the right proof proves, and no other");
  const std::string header(first.substr(0, first.size() - bare.size()));
  const std::string bound = encode_base64(header + std::string(plus ? kChannel : ""));
  require(last.starts_with("c=" + bound + ",r=" + both + ","), "nonce and channel are those of this exchange");
  return 0;
}
