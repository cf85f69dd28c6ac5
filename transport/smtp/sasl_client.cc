#include "transport/smtp/sasl_client.h"

#include <utility>

#include "policy/base64.h"
#include "policy/wipe.h"

namespace waxwing {
namespace {

// What the string held goes with it.
Secret take_secret(std::string octets) {
  Secret secret(octets);
  wipe(octets);
  return secret;
}

Secret encoded(std::string_view octets) {
  return take_secret(encode_base64(octets));
}

// RFC 4616 §2: no authorization identity.
Secret plain_message(const SmtpLogin& login) {
  std::string message;
  message.reserve(login.user.size() + login.password.size() + 2);  // one buffer, so that one is to be wiped
  message += '\0';
  message += login.user;
  message += '\0';
  message += login.password.reveal();
  return take_secret(std::move(message));
}

}  // namespace

std::optional<SaslClient> SaslClient::choose(const SmtpExtensions& offered, std::shared_ptr<const SmtpLogin> login,
                                             std::string_view nonce) {
  const std::string_view password = login->password.reveal();
  if (offered.auth_scram_sha_256 && ScramClient::can_say(login->user, password)) {
    SaslClient client(Mechanism::ScramSha256, login);
    client.scram_ = std::make_unique<ScramClient>(login->user, password, nonce);
    return client;
  }
  if (offered.auth_plain) return SaslClient(Mechanism::Plain, std::move(login));
  if (offered.auth_login) return SaslClient(Mechanism::Login, std::move(login));
  return std::nullopt;
}

std::string_view SaslClient::mechanism() const {
  switch (mechanism_) {
    case Mechanism::ScramSha256:
      return "SCRAM-SHA-256";
    case Mechanism::Plain:
      return "PLAIN";
    case Mechanism::Login:
      break;
  }
  return "LOGIN";
}

Secret SaslClient::command() {
  switch (mechanism_) {
    case Mechanism::ScramSha256:
      step_ = Step::ServerFirst;
      return take_secret("AUTH SCRAM-SHA-256 " + encode_base64(scram_->first_message()));
    case Mechanism::Plain: {
      step_ = Step::Done;
      const Secret message = plain_message(*login_);
      const Secret response = encoded(message.reveal());
      std::string line;
      line.reserve(response.size() + 16);
      line += "AUTH PLAIN ";
      line += response.reveal();
      return take_secret(std::move(line));
    }
    case Mechanism::Login:
      break;
  }
  step_ = Step::User;
  return Secret("AUTH LOGIN");
}

Result<Secret> SaslClient::answer(std::string_view challenge) {
  if (challenge.find_first_of(" \t") != std::string_view::npos)
    return fail(ErrorKind::Malformed, "its challenge is not base64");
  auto message = decode_base64(challenge);
  if (!message) return fail(ErrorKind::Malformed, "its challenge is not base64");
  switch (step_) {
    case Step::User:  // what it asks in words is nobody's business: the order is fixed
      step_ = Step::Password;
      return encoded(login_->user);
    case Step::Password:
      step_ = Step::Done;
      return encoded(login_->password.reveal());
    case Step::ServerFirst:
    case Step::ServerFinal:
      return answer_scram(*message);
    case Step::Start:
    case Step::Done:
      break;
  }
  return fail(ErrorKind::Malformed, "it asks for more than the mechanism has to say");
}

// RFC 4954 §4: what a server says with its success comes as one more challenge, which gets an empty response.
Result<Secret> SaslClient::answer_scram(std::string_view message) {
  if (step_ == Step::ServerFirst) {
    auto last = scram_->final_message(message);
    if (!last) return tl::unexpected(last.error());
    step_ = Step::ServerFinal;
    return encoded(*last);
  }
  if (auto verified = scram_->verify(message); !verified) return tl::unexpected(verified.error());
  step_ = Step::Done;
  return Secret();
}

Result<void> SaslClient::conclude() const {
  if (step_ == Step::Done) return {};
  if (step_ == Step::ServerFinal)
    return fail(ErrorKind::Denied, "it did not prove that it knows the password (RFC 5802 §3)");
  return fail(ErrorKind::Malformed, "it accepts a login that has not been said");
}

}  // namespace waxwing
