#include <fmt/format.h>

#include <utility>

#include "policy/base64.h"
#include "relay/server/server_engine.h"

// AUTH, from the command to the verdict.

namespace waxwing {

void SmtpServerEngine::execute(const AuthCommand& command, MonotonicTime now) {
  if (!greeted_ || !extended_) return refuse({503, "5.5.1", {"say EHLO first"}}, now);
  if (account_) return refuse({503, "5.5.1", {"already authenticated"}}, now);
  if (in_transaction_) return refuse({503, "5.5.1", {"not during a mail transaction"}}, now);
  if (options_.tls != Tls::None && !secured_) return refuse({538, "5.7.11", {"say STARTTLS first"}}, now);
  if (command.mechanism == "plain") {
    if (command.initial_response) return check_plain(command.initial_response->reveal(), now);
    return await_response(LoginStep::PlainResponse, "", now);
  }
  if (command.mechanism == "login") {
    if (!command.initial_response) return await_response(LoginStep::User, "VXNlcm5hbWU6", now);  // "Username:"
    login_ = LoginStep::User;
    return auth_response(command.initial_response->reveal(), now);
  }
  if (command.mechanism == "external" && certificate_ == Certificate::Verified) {
    if (command.initial_response) return check_external(command.initial_response->reveal(), now);
    return await_response(LoginStep::ExternalResponse, "", now);
  }
  if (begin_scram(command.mechanism)) {
    if (!command.initial_response) return await_response(LoginStep::ScramFirst, "", now);
    return read_scram(LoginStep::ScramFirst, command.initial_response->reveal(), now);
  }
  refuse({504, "5.5.4", {"mechanism not offered; use PLAIN or LOGIN"}}, now);
}

std::string SmtpServerEngine::mechanisms() const {
  std::string names = "PLAIN LOGIN";
  if (options_.scram) names += " SCRAM-SHA-256";
  if (options_.scram && channel_binding_ == ScramServer::ChannelBinding::Offered) names += " SCRAM-SHA-256-PLUS";
  if (certificate_ == Certificate::Verified) names += " EXTERNAL";
  return names;
}

bool SmtpServerEngine::begin_scram(std::string_view mechanism) {
  using Mechanism = ScramServer::Mechanism;
  const bool plus = mechanism == "scram-sha-256-plus";
  if (!options_.scram || (!plus && mechanism != "scram-sha-256")) return false;
  if (plus && channel_binding_ == ScramServer::ChannelBinding::NotOffered) return false;
  scram_ = std::make_unique<ScramLogin>(
      ScramLogin{ScramServer(plus ? Mechanism::Sha256Plus : Mechanism::Sha256, channel_binding_)});
  return true;
}

void SmtpServerEngine::await_response(LoginStep step, std::string_view challenge, MonotonicTime now) {
  await_command(now);
  if (state_ == State::Closed) return;
  login_ = step;
  state_ = State::AuthResponse;
  output_ += fmt::format("334 {}\r\n", challenge);
}

void SmtpServerEngine::auth_response(std::string_view line, MonotonicTime now) {
  const LoginStep step = std::exchange(login_, LoginStep::None);
  state_ = State::Idle;
  if (line == "*") {
    scram_.reset();
    return refuse({501, "5.7.0", {"authentication cancelled"}}, now);
  }
  if (step == LoginStep::ScramFirst || step == LoginStep::ScramFinal) return read_scram(step, line, now);
  if (step == LoginStep::ScramEnd) return end_scram(line, now);
  if (step == LoginStep::PlainResponse) return check_plain(line, now);
  if (step == LoginStep::ExternalResponse) return check_external(line, now);
  auto decoded = decode_sasl_response(line);
  if (!decoded) return refuse_auth(decoded.error(), now);
  if (step == LoginStep::User) {
    credentials_ = {std::string(decoded->reveal()), Secret()};
    return await_response(LoginStep::Password, "UGFzc3dvcmQ6", now);  // "Password:"
  }
  credentials_ = {std::exchange(credentials_.user, {}), std::move(*decoded)};
  check_login(now);
}

void SmtpServerEngine::check_login(MonotonicTime now) {
  if (auto checked = check_credentials(credentials_.user, credentials_.password.reveal()); !checked) {
    credentials_ = {};
    return refuse_auth(checked.error(), now);
  }
  wait_for(Need::Authentication);
}

void SmtpServerEngine::check_plain(std::string_view response, MonotonicTime now) {
  auto decoded = decode_sasl_response(response);
  if (!decoded) return refuse_auth(decoded.error(), now);
  auto credentials = parse_sasl_plain(decoded->reveal());
  if (!credentials) return refuse_auth(credentials.error(), now);
  credentials_ = std::move(*credentials);
  wait_for(Need::Authentication);
}

void SmtpServerEngine::check_external(std::string_view response, MonotonicTime now) {
  auto identity = parse_sasl_external(response);
  if (!identity) return refuse_auth(identity.error(), now);
  authorization_identity_ = std::move(*identity);
  wait_for(Need::CertificateLogin);
}

// Whoever is denied here is denied as by a wrong password, so that it is counted and told on the log.
void SmtpServerEngine::read_scram(LoginStep step, std::string_view response, MonotonicTime now) {
  const auto message = decode_sasl_response(response);
  if (!message) return refuse_auth(message.error(), now);
  ScramServer& server = scram_->server;
  const bool first = step == LoginStep::ScramFirst;
  const Result<void> read = first ? server.read_first(message->reveal()) : server.read_final(message->reveal());
  if (read) return wait_for(first ? Need::ScramKeys : Need::ScramVerdict);
  if (read.error().kind != ErrorKind::Denied) return refuse_auth(read.error(), now);
  scram_->denial = read.error().detail;
  wait_for(Need::ScramVerdict);
}

void SmtpServerEngine::on_scram_keys(ScramKeys keys, std::string_view nonce,
                                     const std::optional<Secret>& channel_binding, MonotonicTime now) {
  ScramServer& server = scram_->server;
  if (!server.channel_binding_type().empty() && !channel_binding) {
    scram_->denial = "there is no such channel binding here";
    return wait_for(Need::ScramVerdict);
  }
  const std::string challenge =
      server.challenge(std::move(keys), nonce, channel_binding ? channel_binding->reveal() : "");
  await_response(LoginStep::ScramFinal, encode_base64(challenge), now);
  advance(now);
}

// RFC 4954 §4: our proof goes in one more challenge, since 235 has no room for it, and the client has nothing to add.
void SmtpServerEngine::end_scram(std::string_view response, MonotonicTime now) {
  const auto message = decode_sasl_response(response);
  if (!message || message->size() > 0)
    return refuse_auth({ErrorKind::Malformed, "the last response of SCRAM is empty"}, now);
  log_in(std::move(*scram_->proven), now);
}

void SmtpServerEngine::refuse_auth(const Error& error, MonotonicTime now) {
  scram_.reset();
  if (error.kind == ErrorKind::Denied) {
    if (++failed_logins_ >= kMaxFailedLogins)
      return end(421, "4.7.0", "too many failed logins; closing the connection");
    return refuse({535, "5.7.8", {error.detail}}, now);
  }
  refuse({501, "5.5.2", {error.detail}}, now);
}

void SmtpServerEngine::on_authenticated(Account account, MonotonicTime now) {
  if (scram_) {
    scram_->proven = std::move(account);
    await_response(LoginStep::ScramEnd, encode_base64(scram_->server.final_message()), now);
  } else {
    log_in(std::move(account), now);
  }
  advance(now);
}

void SmtpServerEngine::log_in(Account account, MonotonicTime now) {
  account_ = std::move(account);
  credentials_ = {};
  scram_.reset();
  failed_logins_ = 0;
  reply(235, "2.7.0", "authentication succeeded");
  await_command(now);
}

void SmtpServerEngine::on_authentication_failed(MonotonicTime now) {
  credentials_ = {};
  const std::unique_ptr<ScramLogin> scram = std::move(scram_);
  if (++failed_logins_ >= kMaxFailedLogins) return end(421, "4.7.0", "too many failed logins; closing the connection");
  const bool external = need_ == Need::CertificateLogin;
  const bool denied = scram && !scram->denial.empty();
  reply(535, "5.7.8",
        external ? "the certificate does not open this account"
        : denied ? scram->denial
                 : "user or password is wrong");
  await_command(now);
  advance(now);
}

void SmtpServerEngine::on_login_refused(const ServerReply& refusal) {
  credentials_ = {};
  scram_.reset();
  end(refusal);
}

void SmtpServerEngine::on_authentication_unavailable(MonotonicTime now) {
  credentials_ = {};
  scram_.reset();
  reply(454, "4.7.0", "this login cannot be checked now; try again later");
  await_command(now);
  advance(now);
}

}  // namespace waxwing
