#include <fmt/format.h>

#include <utility>

#include "transport/smtp/client_engine.h"

// AUTH, between EHLO inside TLS and the first transaction.

namespace waxwing {
namespace {

constexpr std::string_view kLoginStatus = "4.7.8";  // RFC 4954 §6, as something that may be mended

}  // namespace

// What was offered before TLS does not count (RFC 4954 §4), and nothing is said to a server that knows no mechanism of
// ours.
void SmtpClientEngine::log_in(MonotonicTime now) {
  enter(State::Auth, options_.command_timeout, now);
  sasl_ = SaslClient::choose(extensions_, login_->login, login_->nonce);
  login_.reset();
  if (!sasl_) {
    const std::string& offered = extensions_.auth_mechanisms;
    return refuse_login(fmt::format("it offers no mechanism for a login that is known here: {}",
                                    offered.empty() ? "no AUTH at all" : offered));
  }
  say_secret(sasl_->command(), now);
}

// RFC 4954 §4: 235, 334, or a refusal. Each of ours is one line, and a challenge is one line.
void SmtpClientEngine::on_auth_reply(const SmtpReply& reply, MonotonicTime now) {
  if (reply.code >= 400) {
    SmtpFailure refused = failure_of(reply);
    refused.kind = SmtpFailure::Kind::LoginRefused;
    if (reply.enhanced_code.empty()) refused.status = kLoginStatus;
    refused.detail =
        fmt::format("it refused the login of \"{}\" by {}: \"{}\"", sasl_->user(), sasl_->mechanism(), reply.str());
    return end_connection(std::move(refused));
  }
  if (reply.code == 235) {
    if (const auto concluded = sasl_->conclude(); !concluded) return refuse_login(concluded.error().detail);
    sasl_.reset();
    return become_ready();
  }
  if (reply.code != 334 || reply.lines.size() != 1) {
    return distrust(fmt::format("it answered AUTH with \"{}\"", reply.code));
  }
  auto response = sasl_->answer(reply.lines.front());
  if (!response) return refuse_login(response.error().detail);
  say_secret(*response, now);
}

void SmtpClientEngine::refuse_login(std::string detail) {
  end_connection({SmtpFailure::Kind::LoginRefused, std::string(kLoginStatus), std::nullopt, std::move(detail), true,
                  DeliveryStage::Login});
}

// Nothing else is outstanding, so that the line is alone in the output, in the only buffer that it ever was in.
void SmtpClientEngine::say_secret(const Secret& line, MonotonicTime now) {
  output_.reserve(output_.size() + line.size() + 2);
  send(State::Auth, line.reveal(), options_.command_timeout, now);
  if (state_ == State::Auth) output_ += "\r\n";
}

}  // namespace waxwing
