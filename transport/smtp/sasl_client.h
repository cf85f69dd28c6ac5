#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "policy/scram_client.h"
#include "policy/secret.h"
#include "transport/smtp/extensions.h"

namespace waxwing {

/// As whom to log in at a server. Immutable once made, so that connections may share it.
struct SmtpLogin {
  std::string user;  ///< 1 to 255 octets, no NUL
  Secret password;   ///< likewise
};

/// The client side of one SASL exchange, by the best mechanism that the server offers: SCRAM-SHA-256 where user and
/// password are printable ASCII, else PLAIN, else LOGIN. PLAIN and LOGIN say the password itself, so the caller must
/// know whom it talks to.
/// @source  RFC 4422 §3, RFC 4616 §2, RFC 5802 §3
class SaslClient {
 public:
  /// @param nonce  random, printable ASCII without comma
  /// @return       no value: the server offers no mechanism that is known here
  [[nodiscard]] static std::optional<SaslClient> choose(const SmtpExtensions& offered,
                                                        std::shared_ptr<const SmtpLogin> login, std::string_view nonce);

  /// "PLAIN", "LOGIN", "SCRAM-SHA-256".
  [[nodiscard]] std::string_view mechanism() const;

  [[nodiscard]] const std::string& user() const { return login_->user; }

  /// The command without CRLF: "AUTH PLAIN AHVz…", "AUTH LOGIN".
  [[nodiscard]] Secret command();

  /// Answers a challenge.
  /// @param challenge  text of a 334 reply, which must be base64
  /// @return  the line to say without CRLF
  /// @errors  Malformed, Denied, Exhausted: the challenge is none that the mechanism knows; a phrase about the server
  [[nodiscard]] Result<Secret> answer(std::string_view challenge);

  /// Whether a 235 may be believed now.
  /// @errors  Malformed: the exchange is not at its end; Denied: the server has not proved what the mechanism asks for
  [[nodiscard]] Result<void> conclude() const;

 private:
  enum class Mechanism { ScramSha256, Plain, Login };
  enum class Step {
    Start,        ///< the command is to be said
    User,         ///< LOGIN: a challenge for the user name is awaited
    Password,     ///< LOGIN: a challenge for the password is awaited
    ServerFirst,  ///< SCRAM
    ServerFinal,  ///< SCRAM
    Done,         ///< the server is to say what it thinks of it
  };

  SaslClient(Mechanism mechanism, std::shared_ptr<const SmtpLogin> login)
      : mechanism_(mechanism), login_(std::move(login)) {}
  [[nodiscard]] Result<Secret> answer_scram(std::string_view message);

  Mechanism mechanism_;
  std::shared_ptr<const SmtpLogin> login_;
  Step step_ = Step::Start;
  std::unique_ptr<ScramClient> scram_;  // nullptr but with that mechanism
};

}  // namespace waxwing
