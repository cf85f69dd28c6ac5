#include "relay/server/server_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "policy/ascii.h"
#include "policy/date_time.h"
#include "policy/secret.h"
#include "relay/server/sender_rules.h"

namespace waxwing {
namespace {

ServerReply not_announced() {
  return {553, "5.6.7", {"an address that is not ASCII needs SMTPUTF8 with MAIL"}};  // RFC 6531 §3.5
}

}  // namespace

SmtpServerEngine::SmtpServerEngine(Options options, MonotonicTime now)
    : options_(std::move(options)),
      made_(now),
      session_end_(now + options_.session_timeout),
      greeting_end_(now + options_.greeting_timeout),
      secured_(options_.tls == Tls::Implicit),
      certificate_(options_.certificate),
      channel_binding_(options_.channel_binding) {
  account_ = options_.known_client;
  begin_anew(now);
}

void SmtpServerEngine::begin_anew(MonotonicTime now) {
  output_ +=
      fmt::format("220 {} {} Waxwing\r\n", options_.hostname, options_.protocol == Protocol::Lmtp ? "LMTP" : "ESMTP");
  await_command(now);
}

std::string SmtpServerEngine::take_output() {
  return std::exchange(output_, {});
}

std::string SmtpServerEngine::take_content() {
  return std::exchange(content_, {});
}

void SmtpServerEngine::on_bytes(std::string_view octets, MonotonicTime now) {
  if (state_ == State::Closed) return;
  input_.append(octets);
  advance(now);
}

void SmtpServerEngine::on_expiry(MonotonicTime now) {
  if (now < expiry_ || state_ == State::Closed) return;
  end(421, "4.4.2", "timeout; closing the connection");
}

void SmtpServerEngine::shut_down(MonotonicTime now) {
  if (state_ == State::Idle && need_ == Need::Bytes && !in_transaction_)
    end(421, "4.3.2", "the service is restarting; try again in a moment");
  else
    session_end_ = now;
}

// Works off the input until it is empty or something has to be done by the owner.
void SmtpServerEngine::advance(MonotonicTime now) {
  while (need_ == Need::Bytes && !input_.empty()) {
    if (state_ == State::Content) {
      read_content();
    } else if (state_ == State::Chunk) {
      read_chunk(now);
    } else if (!read_line(now)) {
      break;
    }
  }
  limit_waiting(now);
}

// What has begun must end in time: a line, and content at some least speed.
void SmtpServerEngine::limit_waiting(MonotonicTime now) {
  if (need_ != Need::Bytes) return;
  if (state_ == State::Content || state_ == State::Chunk) {
    const Milliseconds earned(wire_octets_ * 1'000 / kLeastContentOctetsPerSecond);
    expiry_ = content_begun_ + std::min(options_.content_grace + earned, options_.content_timeout);
  } else if (state_ != State::Closed && !line_begun_ && (!input_.empty() || discarded_octets_ > 0)) {
    line_begun_ = true;
    expiry_ = std::min(expiry_, now + options_.line_timeout);
  }
}

// Takes one command or response line. A line that is too long is read to its end, refused once, and never kept.
bool SmtpServerEngine::read_line(MonotonicTime now) {
  const std::string_view rest = input_.view();
  const std::size_t line_feed = rest.find('\n');
  const bool auth_line = state_ == State::AuthResponse || ascii_istarts_with(rest, "AUTH");
  const std::size_t limit = auth_line ? kMaxAuthLineOctets : kMaxCommandOctets;
  if (line_feed == std::string_view::npos) {
    if (rest.size() <= limit && discarded_octets_ == 0) return false;
    discarded_octets_ += rest.size();
    input_.clear();
    if (discarded_octets_ > kMaxDiscardedOctets) end(500, "5.5.2", "line too long; closing the connection");
    return false;
  }
  const bool ends_with_crlf = line_feed > 0 && rest[line_feed - 1] == '\r';
  const Secret line(rest.substr(0, line_feed - (ends_with_crlf ? 1 : 0)));  // it may be a password
  input_.consume(line_feed + 1);
  if (std::exchange(discarded_octets_, 0) > 0 || line_feed >= limit) {
    login_ = LoginStep::None;
    scram_.reset();
    refuse({500, "5.5.2", {"line too long"}}, now);
    return true;
  }
  if (!ends_with_crlf) {
    // Whoever ends commands with a lone LF may mean other things by our reply than we do: no second command is read.
    end(521, "5.5.2", "lines end with CRLF; closing the connection");
    return true;
  }
  if (state_ == State::AuthResponse)
    auth_response(line.reveal(), now);
  else
    execute(line.reveal(), now);
  return true;
}

void SmtpServerEngine::execute(std::string_view line, MonotonicTime now) {
  auto command = parse_command(line);
  if (!command) return refuse(command.error(), now);
  std::visit([this, now](const auto& known) { execute(known, now); }, *command);
}

void SmtpServerEngine::execute(const HeloCommand& command, MonotonicTime now) {
  if (command.local != (options_.protocol == Protocol::Lmtp)) {  // RFC 2033 §4.1
    return refuse({500, "5.5.1", {command.local ? "this is SMTP; say EHLO" : "this is LMTP; say LHLO"}}, now);
  }
  reset_transaction();
  greeted_ = true;
  extended_ = command.extended;
  helo_name_ = command.name;
  if (!command.extended) {
    output_ += fmt::format("250 {}\r\n", options_.hostname);
    return await_command(now);
  }
  ServerReply offer{250, "", {options_.hostname, fmt::format("SIZE {}", options_.max_message_octets)}};
  offer.lines.insert(offer.lines.end(), {"8BITMIME", "SMTPUTF8", "PIPELINING", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES",
                                         fmt::format("LIMITS RCPTMAX={}", options_.max_recipients)});
  if (options_.tls == Tls::StartTls && !secured_) offer.lines.emplace_back("STARTTLS");
  if (secured_) offer.lines.emplace_back("REQUIRETLS");
  if (options_.tls == Tls::None || secured_) offer.lines.push_back("AUTH " + mechanisms());
  add_timing_offer(offer, now);
  if (options_.takes_xclient) offer.lines.emplace_back("XCLIENT ADDR HELO LOGIN NAME PORT PROTO DESTADDR DESTPORT");
  output_ += offer.str();
  await_command(now);
}

void SmtpServerEngine::add_timing_offer(ServerReply& offer, MonotonicTime now) const {
  const TimingOffer& timing = options_.timing;
  if (timing.max_hold > Seconds(0)) {
    offer.lines.push_back(fmt::format("FUTURERELEASE {} {}", timing.max_hold.count(),
                                      utc_date_time_text(time_of_day(now) + timing.max_hold)));
  }
  if (timing.least_by_time > Seconds(0))
    offer.lines.push_back(fmt::format("DELIVERBY {}", timing.least_by_time.count()));
}

void SmtpServerEngine::execute(const StartTlsCommand&, MonotonicTime now) {
  if (options_.tls != Tls::StartTls) return refuse({502, "5.5.1", {"STARTTLS is not offered here"}}, now);
  if (secured_) return refuse({503, "5.5.1", {"TLS is active already"}}, now);
  reply(220, "2.0.0", "ready to start TLS");
  // RFC 3207 §4.2: what came before the handshake is forgotten, pipelined octets above all.
  input_.clear();
  wait_for(Need::TlsHandshake);
}

void SmtpServerEngine::on_secured(MonotonicTime now, Certificate certificate,
                                  ScramServer::ChannelBinding channel_binding) {
  secured_ = true;
  certificate_ = certificate;
  channel_binding_ = channel_binding;
  greeting_end_ = now + options_.greeting_timeout;
  greeted_ = false;
  extended_ = false;
  account_ = options_.known_client;
  reset_transaction();
  await_command(now);
}

void SmtpServerEngine::execute(const MailCommand& command, MonotonicTime now) {
  if (!greeted_) return refuse({503, "5.5.1", {"say EHLO first"}}, now);
  if (options_.tls != Tls::None && !secured_) return refuse({530, "5.7.0", {"say STARTTLS first"}}, now);
  if (!account_) {
    static const std::string kHint =
        "authentication required: configure the client with the user and password of a Waxwing account";
    return refuse({530, "5.7.0", {options_.login_hint.empty() ? kHint : options_.login_hint}}, now);
  }
  if (in_transaction_) return refuse({503, "5.5.1", {"a mail transaction is open already; say RSET to leave it"}}, now);
  if (!command.ascii && !command.smtputf8) return refuse(not_announced(), now);
  if (command.require_tls && !secured_) {  // RFC 8689 §2
    return refuse({530, "5.7.10", {"REQUIRETLS can be asked for inside TLS alone"}}, now);
  }
  if (command.size_octets.value_or(0) > options_.max_message_octets) {
    return refuse({552, "5.3.4", {fmt::format("the limit for a message is {} octets", options_.max_message_octets)}},
                  now);
  }
  if (command.reverse_path && !sender_allowed(*account_, *command.reverse_path)) {
    return refuse(
        {550, "5.7.1", {fmt::format("account {} may not send as {}", account_->name, command.reverse_path->str())}},
        now);
  }
  auto timing = resolve_timing(command.timing, options_.timing, time_of_day(now));
  if (!timing) return refuse(timing.error(), now);
  pending_timing_ = std::move(*timing);
  pending_mail_ = command;
  wait_for(Need::StorageCheck);
}

void SmtpServerEngine::on_storage(const std::optional<ServerReply>& refusal, MonotonicTime now) {
  const MailCommand command = *std::exchange(pending_mail_, std::nullopt);
  if (refusal) {
    output_ += refusal->str();
  } else {
    in_transaction_ = true;
    envelope_.reverse_path = command.reverse_path;
    envelope_.body_8bit = command.body_8bit;
    envelope_.smtputf8 = command.smtputf8;
    envelope_.require_tls = command.require_tls;
    envelope_.notice = command.notice;
    envelope_.timing = pending_timing_;
    reply(250, "2.1.0", "sender ok");
  }
  await_command(now);
  advance(now);
}

void SmtpServerEngine::execute(const RcptCommand& command, MonotonicTime now) {
  if (!in_transaction_) return refuse({503, "5.5.1", {"say MAIL first"}}, now);
  if (decoder_) return refuse({503, "5.5.1", {"the content has begun"}}, now);
  if (!command.ascii && !envelope_.smtputf8) return refuse(not_announced(), now);
  if (envelope_.recipients.size() >= options_.max_recipients) {
    reply(452, "4.5.3", "too many recipients; send the message to the others in another transaction");
    return await_command(now);
  }
  auto recipient = command.recipient ? *command.recipient : MailAddress::parse("postmaster@" + options_.hostname);
  if (!recipient) return refuse({553, "5.1.3", {"this host has no postmaster; add a domain"}}, now);
  if (!options_.checks_recipients) {
    accept_recipient({std::move(*recipient), command.notice});
    return await_command(now);
  }
  pending_recipient_ = EnvelopeRecipient{std::move(*recipient), command.notice};
  wait_for(Need::RecipientCheck);
}

void SmtpServerEngine::on_recipient(const std::optional<ServerReply>& refusal, MonotonicTime now) {
  EnvelopeRecipient recipient = *std::exchange(pending_recipient_, std::nullopt);
  if (refusal) {
    output_ += refusal->str();
  } else {
    accept_recipient(std::move(recipient));
  }
  await_command(now);
  advance(now);
}

// The same mailbox twice gets one copy: the queue keeps one outcome per recipient.
void SmtpServerEngine::accept_recipient(EnvelopeRecipient recipient) {
  const bool is_new =
      std::none_of(envelope_.recipients.begin(), envelope_.recipients.end(),
                   [&recipient](const EnvelopeRecipient& known) { return known.address == recipient.address; });
  ++accepted_rcpts_;
  if (is_new) envelope_.recipients.push_back(std::move(recipient));
  reply(250, "2.1.5", "recipient ok");
}

void SmtpServerEngine::execute(const RsetCommand&, MonotonicTime now) {
  reset_transaction();
  reply(250, "2.0.0", "ok");
  await_command(now);
}

void SmtpServerEngine::execute(const NoopCommand&, MonotonicTime now) {
  reply(250, "2.0.0", "ok");
  await_command(now);
}

void SmtpServerEngine::execute(const QuitCommand&, MonotonicTime) {
  end(221, "2.0.0", "goodbye");
}

void SmtpServerEngine::execute(const VrfyCommand&, MonotonicTime now) {
  reply(252, "2.1.5", "addresses are not verified here; send the message");  // RFC 5321 §3.5.3
  await_command(now);
}

void SmtpServerEngine::execute(const HelpCommand&, MonotonicTime now) {
  reply(214, "2.0.0", "see RFC 5321 and RFC 6409");
  await_command(now);
}

// The peer begins again as the client for which it speaks: what was said before was said by somebody else.
void SmtpServerEngine::execute(const XclientCommand& command, MonotonicTime now) {
  if (!options_.takes_xclient) return refuse({550, "5.7.0", {"XCLIENT is not for you"}}, now);
  if (in_transaction_) return refuse({503, "5.5.1", {"not during a mail transaction"}}, now);
  if (!command.facts) return refuse({501, "5.5.4", {command.facts.error().detail}}, now);
  greeted_ = false;
  extended_ = false;
  greeting_end_ = now + options_.greeting_timeout;
  if (command.facts->address) told_address_ = command.facts->address;
  if (command.facts->helo) helo_name_ = *command.facts->helo;
  account_ = options_.known_client;
  claimed_login_ = command.facts->login.value_or("");
  if (!claimed_login_.empty()) return wait_for(Need::Identity);
  begin_anew(now);
}

void SmtpServerEngine::on_identified(std::optional<Account> account, MonotonicTime now) {
  claimed_login_.clear();
  if (account) {
    account_ = std::move(account);
    begin_anew(now);
  } else {
    refuse({550, "5.7.0", {"XCLIENT LOGIN names no account"}}, now);
  }
  advance(now);
}

void SmtpServerEngine::execute(const HttpRequest&, MonotonicTime) {
  end(521, "5.5.1", "this is not a web server; closing the connection");
}

void SmtpServerEngine::reply(int code, std::string_view enhanced_code, std::string_view text) {
  output_ += ServerReply{code, std::string(enhanced_code), {std::string(text)}}.str();
}

// A refused command counts; somebody who only errs is shown out.
void SmtpServerEngine::refuse(const ServerReply& refusal, MonotonicTime now) {
  state_ = State::Idle;
  if (++errors_ > kMaxCommandErrors) return end(421, "4.7.0", "too many errors; closing the connection");
  output_ += refusal.str();
  await_command(now);
}

void SmtpServerEngine::end(int code, std::string_view enhanced_code, std::string_view text) {
  end(ServerReply{code, std::string(enhanced_code), {std::string(text)}});
}

void SmtpServerEngine::end(const ServerReply& farewell) {
  output_ += farewell.str();
  reset_transaction();
  scram_.reset();
  state_ = State::Closed;
  need_ = Need::Close;
  input_.clear();
}

void SmtpServerEngine::wait_for(Need need) {
  need_ = need;
}

void SmtpServerEngine::await_command(MonotonicTime now) {
  state_ = State::Idle;
  need_ = Need::Bytes;
  line_begun_ = false;
  if (now >= session_end_) return end(421, "4.3.2", "the session has ended; connect again");
  expiry_ = std::min(now + options_.command_timeout, session_end_);
  if (!greeted_) expiry_ = std::min(expiry_, greeting_end_);
}

// The one place where a transaction ends, however it ends.
void SmtpServerEngine::reset_transaction() {
  in_transaction_ = false;
  pending_mail_.reset();
  pending_timing_ = {};
  envelope_ = {};
  accepted_rcpts_ = 0;
  decoder_.reset();
  content_.clear();
  content_octets_ = 0;
  wire_octets_ = 0;
  content_refusal_.reset();
  chunk_refusal_.reset();
}

}  // namespace waxwing
