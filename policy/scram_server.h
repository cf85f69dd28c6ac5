#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "policy/scram_keys.h"
#include "policy/secret.h"

namespace waxwing {

/// The server side of one exchange of SCRAM-SHA-256 or SCRAM-SHA-256-PLUS. Pure: keys, nonce and channel binding are the
/// caller's. Who has no account is given keys of nobody, and fails where a wrong password does.
/// @source  RFC 5802 §3, §5 and §7, RFC 7677 §3
class ScramServer {
 public:
  enum class Mechanism {
    Sha256,
    Sha256Plus,  ///< bound to the channel
  };
  enum class ChannelBinding {
    NotOffered,
    Offered,  ///< the client could have chosen Sha256Plus
  };

  /// @param chosen  by the client
  ScramServer(Mechanism chosen, ChannelBinding offered) : chosen_(chosen), offered_(offered) {}

  /// Reads "n,,n=USER,r=NONCE" and its variants.
  /// @errors  Malformed: the grammar is broken, or an extension is mandatory; Denied: user() wants to act as another one,
  ///          or what is said of channel binding does not go with the mechanism, above all "y" where it was offered:
  ///          somebody has kept the offer from the client
  [[nodiscard]] Result<void> read_first(std::string_view client_first);

  /// After read_first(): as whom the client logs in; 1 to kMaxScramUserOctets of UTF-8 without NUL.
  [[nodiscard]] const std::string& user() const { return user_; }
  /// Likewise: to what it binds the exchange ("tls-exporter"); empty: to nothing.
  [[nodiscard]] const std::string& channel_binding_type() const { return channel_binding_type_; }

  /// Answers "r=…,s=…,i=…".
  /// @param nonce            random, is_scram_nonce()
  /// @param channel_binding  data of channel_binding_type()
  [[nodiscard]] std::string challenge(ScramKeys keys, std::string_view nonce, std::string_view channel_binding);

  /// Reads "c=…,r=…,p=…". Whether the proof holds, is_proven() tells.
  /// @errors  Malformed: the grammar is broken; Denied: another nonce, or another channel
  [[nodiscard]] Result<void> read_final(std::string_view client_final);

  /// After read_final(): whether the client knows the password.
  [[nodiscard]] bool is_proven() const { return proven_; }
  /// Those of challenge().
  [[nodiscard]] const ScramKeys& keys() const { return keys_; }

  /// "v=…", by which the client knows that we have the keys; for a client that is_proven() alone.
  [[nodiscard]] std::string final_message() const;

 private:
  [[nodiscard]] Result<void> read_gs2_header(std::string_view flag, std::string_view authorization);
  [[nodiscard]] Result<void> read_bare(std::string_view text);
  [[nodiscard]] Result<void> judge_channel_binding() const;

  Mechanism chosen_;
  ChannelBinding offered_;
  std::string gs2_header_;
  std::string authorization_;  // empty: as user_
  std::string user_;
  std::string channel_binding_type_;
  std::string first_bare_;
  std::string nonce_;  // the client's, and from challenge() on ours behind it
  std::string challenge_;
  std::string bound_;  // what "c=" must say, in base64
  ScramKeys keys_;
  Secret server_signature_;
  bool proven_ = false;
};

inline constexpr std::size_t kMaxScramUserOctets = 255;

}  // namespace waxwing
