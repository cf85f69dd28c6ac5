#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// A secret that a name server and we share.
struct TsigKey {
  enum class Algorithm { HmacSha256, HmacSha512 };
  std::string name;  ///< as Question::name
  Algorithm algorithm = Algorithm::HmacSha256;
  std::string secret;

  /// Reads a key as `tsig-keygen` and `keymgr -t` write it: `key "NAME" { algorithm hmac-sha256; secret "BASE64"; };`, or
  /// the lines of YAML that Knot uses (`id:`, `algorithm:`, `secret:`).
  /// @errors  Malformed: something else, or an algorithm that is neither hmac-sha256 nor hmac-sha512
  [[nodiscard]] static Result<TsigKey> parse(std::string_view text);
};

/// A message with its TSIG record.
struct SignedMessage {
  std::string octets;
  std::string mac;  ///< to verify the reply with
};

/// Signs a message.
/// @param message  complete, without TSIG
/// @source  RFC 8945 §4, RFC 8945 §5.1
[[nodiscard]] Result<SignedMessage> sign_message_with_tsig(std::string_view message, const TsigKey& key, WallTime now);

/// Verifies the reply to a signed message.
/// @errors  Denied: it is not signed with the key, or the server rejects ours (BADKEY, BADSIG, BADTIME); the detail
///          names the remedy. Malformed: it cannot be read
/// @source  RFC 8945 §5.3
[[nodiscard]] Result<void> verify_tsig_reply(std::string_view reply, const TsigKey& key, std::string_view request_mac,
                                             WallTime now);

}  // namespace waxwing
