#include "transport/smtp/client_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "transport/smtp/command.h"

namespace waxwing {
namespace {

constexpr Milliseconds kQuitTimeout{5'000};  // nothing depends on the farewell

bool is_failure(const SmtpReply& reply) {
  return reply.code >= 400;
}

SmtpFailure lost(std::string detail) {
  return {SmtpFailure::Kind::Temporary, "4.4.2", std::nullopt, std::move(detail), true};
}

// RFC 5321 §4.5.3.1.10: 452, and from older servers 552, says that this transaction is full, not that the recipient is
// bad.
bool says_too_many_recipients(const SmtpReply& reply) {
  if (reply.enhanced_code.ends_with(".5.3")) return true;
  return (reply.code == 452 || reply.code == 552) && reply.enhanced_code.empty();
}

}  // namespace

SmtpClientEngine::SmtpClientEngine(Options options, MonotonicTime now)
    : options_(std::move(options)), expiry_(now + options_.banner_timeout) {
  if (options_.implicit_tls) enter(State::Handshake, options_.handshake_timeout, now);
}

SmtpClientEngine::Need SmtpClientEngine::need() const {
  if (outcome_ready_) return Need::Outcome;
  switch (state_) {
    case State::Handshake:
      return Need::TlsHandshake;
    case State::Ready:
      return Need::Transaction;
    case State::Content:
      return Need::Content;
    case State::Closed:
      return Need::Close;
    default:
      return Need::Bytes;
  }
}

std::string_view SmtpClientEngine::awaited(State state) {
  switch (state) {
    case State::Banner:
      return "greeting";
    case State::Ehlo:
    case State::SecuredEhlo:
      return "reply to EHLO";
    case State::StartTls:
      return "reply to STARTTLS";
    case State::Handshake:
      return "TLS handshake";
    case State::Auth:
      return "reply to AUTH";
    case State::Reset:
      return "reply to RSET";
    case State::Mail:
      return "reply to MAIL";
    case State::Rcpt:
      return "reply to RCPT";
    case State::Data:
      return "reply to DATA";
    case State::Content:
      return "acceptance of the content";
    case State::FinalReply:
    case State::LoneDot:
      return "reply to the end of data";
    case State::Quit:
      return "reply to QUIT";
    case State::Ready:
    case State::Closed:
      break;
  }
  return "next command";
}

DeliveryStage SmtpClientEngine::stage_of(State state) {
  switch (state) {
    case State::Banner:
      return DeliveryStage::Greeting;
    case State::Ehlo:
    case State::SecuredEhlo:
    case State::Ready:
      return DeliveryStage::Ehlo;
    case State::StartTls:
    case State::Handshake:
      return DeliveryStage::Tls;
    case State::Auth:
      return DeliveryStage::Login;
    case State::Reset:
    case State::Mail:
      return DeliveryStage::Mail;
    case State::Rcpt:
      return DeliveryStage::Rcpt;
    case State::Data:
      return DeliveryStage::Data;
    case State::Content:
    case State::FinalReply:
    case State::LoneDot:
      return DeliveryStage::Content;
    case State::Quit:
    case State::Closed:
      break;
  }
  return DeliveryStage::None;
}

std::string SmtpClientEngine::take_output() {
  return std::exchange(output_, std::string());
}

void SmtpClientEngine::on_bytes(std::string_view octets, MonotonicTime now) {
  if (state_ == State::Closed || state_ == State::Handshake) return;
  const auto fed = reader_.feed(octets);
  take_replies(now);
  if (fed || state_ == State::Closed || state_ == State::Handshake) return;
  distrust(fed.error().detail);
}

void SmtpClientEngine::take_replies(MonotonicTime now) {
  while (state_ != State::Closed && state_ != State::Handshake) {
    auto reply = reader_.next();
    if (!reply) return;
    on_reply(std::move(*reply), now);
  }
}

void SmtpClientEngine::on_reply(SmtpReply reply, MonotonicTime now) {
  if (reply.code == 421 && state_ != State::Quit) {  // RFC 5321 §3.8: may answer any command, or none
    SmtpFailure closing = failure_of(reply);
    closing.try_other_host = true;
    return end_connection(std::move(closing));
  }
  switch (state_) {
    case State::Banner:
      return on_banner(reply, now);
    case State::Ehlo:
      return on_ehlo_reply(reply, now);
    case State::StartTls:
      return on_starttls_reply(reply, now);
    case State::SecuredEhlo:
      return on_secured_ehlo_reply(reply, now);
    case State::Auth:
      return on_auth_reply(reply, now);
    case State::Reset:
      return on_reset_reply(reply, now);
    case State::Mail:
      return on_mail_reply(reply, now);
    case State::Rcpt:
      return on_rcpt_reply(reply, now);
    case State::Data:
      return on_data_reply(reply, now);
    case State::Content:
      return on_early_reply(reply);
    case State::FinalReply:
      return on_final_reply(reply);
    case State::LoneDot:  // whatever it says, there was nobody to deliver to
      return end_transaction();
    case State::Quit:
      state_ = State::Closed;
      return;
    case State::Ready:
      return distrust(fmt::format("it said \"{}\" without being asked", reply.str()));
    case State::Handshake:
    case State::Closed:
      return;
  }
}

void SmtpClientEngine::on_banner(const SmtpReply& reply, MonotonicTime now) {
  if (is_failure(reply)) return end_connection(failure_of(reply));
  if (reply.code != 220) return distrust(fmt::format("its greeting was \"{}\"", reply.str()));
  send(secured_ ? State::SecuredEhlo : State::Ehlo, fmt::format("EHLO {}\r\n", options_.helo_name),
       options_.command_timeout, now);
}

void SmtpClientEngine::on_ehlo_reply(const SmtpReply& reply, MonotonicTime now) {
  if (is_failure(reply)) return end_connection(failure_of(reply));
  if (reply.code != 250) return distrust(fmt::format("it answered EHLO with \"{}\"", reply.str()));
  if (!SmtpExtensions::parse(reply).starttls) {
    return end_connection({SmtpFailure::Kind::TlsUnavailable, "4.7.4", std::nullopt, "STARTTLS is not offered", true});
  }
  send(State::StartTls, "STARTTLS\r\n", options_.command_timeout, now);
}

void SmtpClientEngine::on_starttls_reply(const SmtpReply& reply, MonotonicTime now) {
  if (is_failure(reply)) {
    SmtpFailure refused = failure_of(reply);
    refused.kind = SmtpFailure::Kind::TlsUnavailable;
    refused.status = "4.7.4";
    return end_connection(std::move(refused));
  }
  if (reply.code != 220) return distrust(fmt::format("it answered STARTTLS with \"{}\"", reply.str()));
  reader_.reset();  // replies injected in clear must not be read as if they had come through TLS
  enter(State::Handshake, options_.handshake_timeout, now);
}

void SmtpClientEngine::on_secured(MonotonicTime now, std::optional<LoginAttempt> login) {
  assert(state_ == State::Handshake);
  secured_ = true;
  login_ = std::move(login);
  if (options_.implicit_tls) return enter(State::Banner, options_.banner_timeout, now);
  send(State::SecuredEhlo, fmt::format("EHLO {}\r\n", options_.helo_name), options_.command_timeout, now);
}

void SmtpClientEngine::on_tls_failure(std::string_view status, std::string_view detail) {
  if (state_ != State::Handshake) return;
  end_connection({SmtpFailure::Kind::Temporary, std::string(status), std::nullopt, std::string(detail), true});
}

void SmtpClientEngine::on_secured_ehlo_reply(const SmtpReply& reply, MonotonicTime now) {
  if (is_failure(reply)) return end_connection(failure_of(reply));
  if (reply.code != 250) return distrust(fmt::format("it answered EHLO with \"{}\"", reply.str()));
  extensions_ = SmtpExtensions::parse(reply);
  if (login_) return log_in(now);
  become_ready();
}

void SmtpClientEngine::become_ready() {
  state_ = State::Ready;
  expiry_ = MonotonicTime::max();
}

std::optional<SmtpFailure> SmtpClientEngine::refusal_of(const SmtpTransaction& transaction) const {
  const auto refuse = [](std::string_view status, std::string detail) {
    return SmtpFailure{SmtpFailure::Kind::Permanent, std::string(status), std::nullopt, std::move(detail), true,
                       DeliveryStage::Ehlo};
  };
  if (transaction.require_tls && transaction.reverse_path && !extensions_.requiretls) {
    return refuse("5.7.30", "the message asks for REQUIRETLS, which the server does not offer (RFC 8689 §4.2.1)");
  }
  const auto limit = extensions_.size_limit_octets;
  if (limit && transaction.size_octets > *limit) {
    return refuse("5.3.4", fmt::format("the message has {} octets and the server takes at most {} (RFC 1870 §6.1)",
                                       transaction.size_octets, *limit));
  }
  if (transaction.needs_smtputf8 && !extensions_.smtputf8) {
    return refuse("5.6.7", "the message needs SMTPUTF8, which the server does not offer (RFC 6531 §3.2)");
  }
  if (transaction.needs_8bit && !extensions_.eight_bit_mime) {
    return refuse("5.6.3", "the message has 8-bit content and the server does not offer 8BITMIME (RFC 6152 §3)");
  }
  return refusal_of_time(transaction);
}

// RFC 2852 §7: other hosts of the domain are not asked whether they know it.
std::optional<SmtpFailure> SmtpClientEngine::refusal_of_time(const SmtpTransaction& transaction) const {
  if (!transaction.by || transaction.by->mode != ByMode::Return) return std::nullopt;
  const auto refuse = [](std::string_view status, std::string detail) {
    return SmtpFailure{SmtpFailure::Kind::Permanent, std::string(status), std::nullopt, std::move(detail), false,
                       DeliveryStage::Ehlo};
  };
  if (!extensions_.deliverby) {
    return refuse("5.3.3",
                  "the message is to be returned unless it is delivered in time, and the server does not offer "
                  "DELIVERBY (RFC 2852 §4.1.4.1)");
  }
  const Seconds least = std::max(Seconds(1), extensions_.least_by_time);
  if (transaction.by->time >= least) return std::nullopt;
  return refuse("5.4.7",
                fmt::format("{} s are left to deliver the message, and the server wants {} (RFC 2852 §4.1.4.1)",
                            transaction.by->time.count(), least.count()));
}

std::string SmtpClientEngine::mail_line(MonotonicTime now) const {
  MailParameters parameters{transaction_.size_octets, transaction_.needs_8bit, transaction_.needs_smtputf8,
                            transaction_.require_tls, transaction_.notice,     transaction_.by};
  if (parameters.by) parameters.by->time -= std::chrono::floor<Seconds>(now - begun_);
  return mail_command(transaction_.reverse_path, parameters, extensions_);
}

std::string SmtpClientEngine::rcpt_line(std::size_t index) const {
  const bool has_notice = index < transaction_.notices.size();
  RecipientNotice notice = has_notice ? transaction_.notices[index] : RecipientNotice();
  const bool late_unnoticed = transaction_.by && transaction_.by->time > Seconds(0) && !extensions_.deliverby;
  if (late_unnoticed) {  // RFC 2852 §4.1.4.2: who does not know BY can at least tell of a delay
    if (!notice.notify) notice.notify = NotifyWish{false, true, false};
    if (*notice.notify != NotifyWish()) notice.notify->delay = true;
  }
  return rcpt_command(transaction_.recipients[index], notice, extensions_);
}

void SmtpClientEngine::begin(SmtpTransaction transaction, MonotonicTime now) {
  assert(need() == Need::Transaction && secured_);
  assert(!transaction.recipients.empty() && transaction.recipients.size() <= kMaxRecipientsPerTransaction);
  reset_transaction();
  transaction_ = std::move(transaction);
  begun_ = now;
  recipients_.assign(transaction_.recipients.size(), RecipientState::Undecided);
  asked_ = std::min<std::size_t>(recipients_.size(), extensions_.rcpt_max.value_or(kMaxRecipientsPerTransaction));
  outcome_.recipients.resize(transaction_.recipients.size());
  outcome_.notices_passed_on = extensions_.dsn;
  outcome_.deliver_by_passed_on = extensions_.deliverby;
  if (const auto refusal = refusal_of(transaction_)) {
    fail_open_recipients(*refusal);
    outcome_.connection_usable = true;
    outcome_ready_ = true;
    return;
  }
  leave_out_the_rest();
  const std::string mail = mail_line(now);
  const bool reset = std::exchange(needs_reset_, false);
  std::string commands = reset ? "RSET\r\n" : "";
  if (!reset || extensions_.pipelining) commands += mail;
  if (extensions_.pipelining) {
    for (std::size_t i = 0; i < asked_; ++i) commands += rcpt_line(i);
    if (!chunks()) commands += "DATA\r\n";
  }
  send(reset ? State::Reset : State::Mail, commands, options_.command_timeout, now);
}

// RFC 9422 §4.2: more than RCPTMAX would only be refused.
void SmtpClientEngine::leave_out_the_rest() {
  SmtpFailure failure{SmtpFailure::Kind::Temporary,
                      "4.5.3",
                      std::nullopt,
                      fmt::format("the server takes {} recipients at once (RFC 9422 §4.2)", asked_),
                      false,
                      DeliveryStage::Ehlo};
  failure.not_asked = true;
  for (std::size_t i = asked_; i < recipients_.size(); ++i) fail_recipient(i, failure);
}

bool SmtpClientEngine::chunks() const {
  return extensions_.chunking && transaction_.may_chunk;
}

void SmtpClientEngine::on_reset_reply(const SmtpReply& reply, MonotonicTime now) {
  if (reply.code != 250) return distrust(fmt::format("it answered RSET with \"{}\"", reply.str()));
  if (extensions_.pipelining) return enter(State::Mail, options_.command_timeout, now);
  send(State::Mail, mail_line(now), options_.command_timeout, now);
}

void SmtpClientEngine::on_mail_reply(const SmtpReply& reply, MonotonicTime now) {
  if (!is_failure(reply) && reply.code != 250) {
    return distrust(fmt::format("it answered MAIL with \"{}\"", reply.str()));
  }
  if (is_failure(reply)) {
    fail_open_recipients(failure_of(reply));
    if (!extensions_.pipelining) return end_transaction();
  }
  if (extensions_.pipelining) return enter(State::Rcpt, options_.command_timeout, now);
  send_rcpt(now);
}

void SmtpClientEngine::send_rcpt(MonotonicTime now) {
  send(State::Rcpt, rcpt_line(replied_), options_.command_timeout, now);
}

void SmtpClientEngine::on_rcpt_reply(const SmtpReply& reply, MonotonicTime now) {
  const bool accepted = reply.code == 250 || reply.code == 251;
  if (!is_failure(reply) && !accepted) return distrust(fmt::format("it answered RCPT with \"{}\"", reply.str()));
  if (recipients_[replied_] == RecipientState::Undecided) {  // else MAIL was refused, and this reply adds nothing
    if (accepted) {
      recipients_[replied_] = RecipientState::Accepted;
    } else {
      SmtpFailure failure = failure_of(reply);
      const bool full = any_accepted() && says_too_many_recipients(reply);
      if (full) {
        failure.kind = SmtpFailure::Kind::Temporary;
        failure.status = "4.5.3";
      }
      fail_recipient(replied_, failure);
      if (full && !extensions_.pipelining) {  // asking for the rest would only repeat the answer
        while (++replied_ < asked_) fail_recipient(replied_, failure);
        return on_last_rcpt_reply(now);
      }
    }
  }
  if (++replied_ == asked_) return on_last_rcpt_reply(now);
  if (extensions_.pipelining) return enter(State::Rcpt, options_.command_timeout, now);
  send_rcpt(now);
}

void SmtpClientEngine::on_last_rcpt_reply(MonotonicTime now) {
  if (extensions_.pipelining && !chunks()) return enter(State::Data, options_.command_timeout, now);
  if (!any_accepted()) return end_transaction();
  if (chunks()) return send_chunk(now);
  send(State::Data, "DATA\r\n", options_.command_timeout, now);
}

// One chunk holds all, since its length is known and the answer to it is the verdict on the message.
void SmtpClientEngine::send_chunk(MonotonicTime now) {
  encoder_ = DataEncoder(DataEncoder::Form::Chunk);
  chunk_octets_ = transaction_.size_octets;
  send(State::Content, fmt::format("BDAT {} LAST\r\n", chunk_octets_), options_.data_timeout, now);
}

void SmtpClientEngine::on_data_reply(const SmtpReply& reply, MonotonicTime now) {
  if (is_failure(reply)) {
    fail_open_recipients(failure_of(reply));
    return end_transaction();
  }
  if (reply.code != 354) return distrust(fmt::format("it answered DATA with \"{}\"", reply.str()));
  // RFC 2920 §3.1: a server may open the data of a pipelined DATA although it refused all recipients; it must be
  // closed.
  if (!any_accepted()) return send(State::LoneDot, ".\r\n", options_.final_reply_timeout, now);
  enter(State::Content, options_.data_timeout, now);
}

void SmtpClientEngine::give_content(std::string_view octets, MonotonicTime now) {
  if (state_ != State::Content) return;  // the connection ended meanwhile
  const std::size_t before = output_.size();
  if (const auto encoded = encoder_.append(octets, output_); !encoded) {
    output_.resize(before);
    return end_connection({SmtpFailure::Kind::Permanent, "5.6.0", std::nullopt,
                           encoded.error().detail + " and cannot be sent (RFC 5321 §2.3.8)", false});
  }
  expiry_ = now + options_.data_timeout;
  if (chunks()) count_chunk(octets.size(), now);
}

// The server answers as soon as it has all. What comes then is the verdict, so the last octet waits for end_content().
void SmtpClientEngine::count_chunk(std::size_t octets, MonotonicTime now) {
  if (octets > chunk_octets_) {
    output_.clear();
    return abandon_content("the message is longer than was said of it", now);
  }
  chunk_octets_ -= octets;
  if (chunk_octets_ > 0 || octets == 0) return;
  last_of_chunk_ = output_.back();
  output_.pop_back();
}

void SmtpClientEngine::end_content(MonotonicTime now) {
  if (state_ != State::Content) return;
  if (const auto finished = encoder_.finish(output_); !finished) {
    return end_connection({SmtpFailure::Kind::Permanent, "5.6.0", std::nullopt,
                           finished.error().detail + " and cannot be sent (RFC 5321 §2.3.8)", false});
  }
  if (chunks() && chunk_octets_ > 0) return abandon_content("the message is shorter than was said of it", now);
  output_ += std::exchange(last_of_chunk_, std::string());
  enter(State::FinalReply, options_.final_reply_timeout, now);
}

void SmtpClientEngine::abandon_content(std::string_view detail, MonotonicTime) {
  if (state_ != State::Content) return;
  end_connection({SmtpFailure::Kind::Temporary, "4.3.0", std::nullopt, std::string(detail), false});
}

void SmtpClientEngine::on_early_reply(const SmtpReply& reply) {
  // A refusal before the end of the data counts, but the data stays open: only cutting the connection ends it.
  if (!is_failure(reply)) return distrust(fmt::format("it said \"{}\" before the end of the data", reply.str()));
  note_unknown_chunking(reply);
  end_connection(failure_of(reply));
}

void SmtpClientEngine::on_final_reply(const SmtpReply& reply) {
  if (!is_failure(reply) && reply.code != 250) {
    return distrust(fmt::format("it answered the end of data with \"{}\"", reply.str()));
  }
  outcome_.final_reply = reply;
  note_unknown_chunking(reply);
  if (outcome_.chunking_unknown) return end_connection(failure_of(reply));  // it reads the content as commands
  if (is_failure(reply)) fail_open_recipients(failure_of(reply));
  end_transaction();
  needs_reset_ = is_failure(reply);
  // The next reply would be taken for the answer to the next command.
  if (reader_.has_pending()) distrust("it said more than it was asked for");
}

// RFC 5321 §4.2.4: what was offered is no command there after all, perhaps because of something on the way.
void SmtpClientEngine::note_unknown_chunking(const SmtpReply& reply) {
  outcome_.chunking_unknown = chunks() && (reply.code == 500 || reply.code == 502);
}

void SmtpClientEngine::quit(MonotonicTime now) {
  assert(need() == Need::Transaction);
  output_ += "QUIT\r\n";
  enter(State::Quit, kQuitTimeout, now);
}

void SmtpClientEngine::on_closed(std::string_view detail, MonotonicTime) {
  if (state_ == State::Closed) return;
  if (state_ == State::Quit) {
    state_ = State::Closed;
    return;
  }
  SmtpFailure failure = lost(fmt::format("the connection ended while waiting for the {}: {}", awaited(state_), detail));
  if (state_ == State::FinalReply) failure.detail += "; the message may be sent more than once";
  end_connection(std::move(failure));
}

void SmtpClientEngine::on_expiry(MonotonicTime now) {
  if (now < expiry_ || state_ == State::Closed) return;
  if (state_ == State::Quit) {
    state_ = State::Closed;
    return;
  }
  SmtpFailure failure = lost(fmt::format("no {} in time", awaited(state_)));
  if (state_ == State::FinalReply) failure.detail += "; the message may be sent more than once";
  end_connection(std::move(failure));
}

SmtpTransactionOutcome SmtpClientEngine::take_outcome() {
  assert(outcome_ready_);
  outcome_ready_ = false;
  return std::exchange(outcome_, SmtpTransactionOutcome());
}

// Nothing was outstanding when this command is sent. A reply that is there already cannot be its answer.
void SmtpClientEngine::send(State next, std::string_view command, Milliseconds timeout, MonotonicTime now) {
  enter(next, timeout, now);  // first: whoever waits for the outcome of a transaction must get one
  if (reader_.has_pending()) return distrust("a reply came before its command");
  output_ += command;
}

void SmtpClientEngine::enter(State next, Milliseconds timeout, MonotonicTime now) {
  state_ = next;
  expiry_ = now + timeout;
}

SmtpFailure SmtpClientEngine::failure_of(const SmtpReply& reply) const {
  // Before MAIL a refusal says something about this host and us, not about the message.
  const bool before_mail = state_ < State::Mail;
  const bool permanent = reply.code >= 500 && !before_mail;
  std::string status = reply.enhanced_code.empty() ? "x.0.0" : reply.enhanced_code;
  status[0] = permanent ? '5' : '4';
  return {permanent ? SmtpFailure::Kind::Permanent : SmtpFailure::Kind::Temporary,
          std::move(status),
          reply,
          fmt::format("{} was \"{}\"", awaited(state_), reply.str()),
          before_mail,
          stage_of(state_)};
}

bool SmtpClientEngine::any_accepted() const {
  return std::find(recipients_.begin(), recipients_.end(), RecipientState::Accepted) != recipients_.end();
}

bool SmtpClientEngine::in_transaction() const {
  return state_ >= State::Reset && state_ <= State::LoneDot && !outcome_ready_;
}

void SmtpClientEngine::fail_recipient(std::size_t index, const SmtpFailure& failure) {
  recipients_[index] = RecipientState::Failed;
  outcome_.recipients[index] = failure;
}

void SmtpClientEngine::fail_open_recipients(const SmtpFailure& failure) {
  for (std::size_t i = 0; i < recipients_.size(); ++i) {
    if (recipients_[i] != RecipientState::Failed) fail_recipient(i, failure);
  }
}

void SmtpClientEngine::end_transaction() {
  needs_reset_ = true;
  outcome_.connection_usable = true;
  outcome_ready_ = true;
  state_ = State::Ready;
  expiry_ = MonotonicTime::max();
}

void SmtpClientEngine::end_connection(SmtpFailure failure) {
  failure.stage = stage_of(state_);
  if (in_transaction()) {
    if (state_ == State::FinalReply && !failure.reply) failure.try_other_host = false;
    fail_open_recipients(failure);
    outcome_ready_ = true;
  }
  outcome_.connection_usable = false;
  failure_ = std::move(failure);
  state_ = State::Closed;
  expiry_ = MonotonicTime::max();
}

void SmtpClientEngine::distrust(std::string_view what) {
  if (state_ == State::Quit) {
    state_ = State::Closed;
    return;
  }
  end_connection({SmtpFailure::Kind::Temporary, "4.5.0", std::nullopt, fmt::format("protocol error: {}", what), true});
}

void SmtpClientEngine::reset_transaction() {
  transaction_ = {};
  recipients_.clear();
  asked_ = 0;
  replied_ = 0;
  chunk_octets_ = 0;
  last_of_chunk_.clear();
  encoder_ = DataEncoder();
  outcome_ = {};
}

}  // namespace waxwing
