#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "policy/base64.h"
#include "policy/scram_keys.h"
#include "relay/server/server_engine.h"

namespace waxwing {

// Both sides of SCRAM with keys that nobody had to derive, since that is meant to be slow.

inline constexpr std::string_view kScramServerNonce = "server";
inline constexpr std::string_view kScramChannel = "this channel";

/// What the client has of its password, or of another one.
inline ScramClientKeys scram_client_keys(std::string_view password = "secret") {
  std::string octets(password);
  octets.resize(kScramKeyOctets, 'k');
  return {Secret(octets), Secret(std::string(kScramKeyOctets, 's'))};
}

/// What the server keeps of "secret".
inline ScramKeys scram_server_keys() {
  ScramClientKeys client = scram_client_keys();
  return {kMinScramIterations, "salt", scram_stored_key(client.client_key.reveal()), std::move(client.server_key)};
}

/// Says on behalf of the owner of an engine what is kept of the password of "app", or decides what came of it.
inline void serve_scram(SmtpServerEngine& engine, const Account& account, MonotonicTime now) {
  if (engine.need() == SmtpServerEngine::Need::ScramKeys) {
    const bool binds = engine.scram().channel_binding_type() == "tls-exporter";
    return engine.on_scram_keys(scram_server_keys(), kScramServerNonce,
                                binds ? std::optional(Secret(kScramChannel)) : std::nullopt, now);
  }
  const bool right = engine.scram_denial().empty() && engine.scram().is_proven() && engine.scram().user() == "app";
  right ? engine.on_authenticated(account, now) : engine.on_authentication_failed(now);
}

/// A client's side of one exchange.
struct ScramScript {
  std::string gs2_header = "n,,";
  std::string user = "app";
  std::string password = "secret";
  std::string channel;  ///< what it believes to be the data of its channel

  [[nodiscard]] std::string first_bare() const { return "n=" + user + ",r=client"; }
  [[nodiscard]] std::string first() const { return encode_base64(gs2_header + first_bare()); }

  /// @param challenge  text of a 334 reply
  [[nodiscard]] std::string last(std::string_view challenge) const {
    const std::string server_first = *decode_base64(challenge);
    const std::string without_proof =
        "c=" + encode_base64(gs2_header + channel) + "," + server_first.substr(0, server_first.find(','));
    Secret proof = std::move(scram_client_keys(password).client_key);
    const Secret stored_key = scram_stored_key(proof.reveal());
    scram_xor(proof,
              scram_signature(stored_key.reveal(), first_bare() + "," + server_first + "," + without_proof).reveal());
    return encode_base64(without_proof + ",p=" + encode_base64(proof.reveal()));
  }
};

}  // namespace waxwing
