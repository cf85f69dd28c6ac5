#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"
#include "policy/scram_keys.h"
#include "policy/secret.h"

namespace waxwing {

/// The client side of SCRAM-SHA-256 without channel binding: three messages, and the proof of the server that it knows
/// the password as well. Pure: the nonce is the caller's.
/// @source  RFC 5802 §3 and §7, RFC 7677 §3
class ScramClient {
 public:
  /// Whether SCRAM can be done with these: is_scram_text() holds for both.
  [[nodiscard]] static bool can_say(std::string_view user, std::string_view password);

  /// @param nonce  random, is_scram_nonce()
  ScramClient(std::string_view user, std::string_view password, std::string_view nonce);

  /// "n,,n=USER,r=NONCE".
  [[nodiscard]] std::string first_message() const;

  /// Answers "r=…,s=…,i=…" with "c=biws,r=…,p=…".
  /// @errors  Malformed: the grammar is broken; Denied: the nonce is not ours, or an extension is mandatory; Exhausted:
  ///          fewer than kMinScramIterations or more than kMaxScramIterations
  [[nodiscard]] Result<std::string> final_message(std::string_view server_first);

  /// Checks "v=…", which only who knows the password can say; after final_message() alone.
  /// @errors  Denied: the signature is wrong, or the server says "e=…"; Malformed
  [[nodiscard]] Result<void> verify(std::string_view server_final) const;

 private:
  std::string first_bare_;
  std::string nonce_;
  Secret password_;
  Secret server_signature_;  // that the server must say; empty before final_message()
};

}  // namespace waxwing
