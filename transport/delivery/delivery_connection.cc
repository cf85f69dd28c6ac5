#include "transport/delivery/delivery_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <utility>

#include "policy/base64.h"
#include "policy/tls_report_result.h"
#include "policy/wipe.h"

namespace waxwing {
namespace {

using Need = SmtpClientEngine::Need;

constexpr std::size_t kContentWindowOctets = 262'144;  // of one message waiting for the kernel
constexpr std::size_t kContentBlockOctets = 65'536;    // gathered before they are written
constexpr Milliseconds kLinger{2'000};
constexpr Milliseconds kHandshakeTimeout{60'000};
constexpr Milliseconds kDataTimeout{180'000};  // RFC 5321 §4.5.3.2.5
constexpr std::size_t kNonceOctets = 18;       // RFC 5802 §5.1 asks for randomness, not for an amount
constexpr int kFinalReplyFactor = 2;           // RFC 5321 §4.5.3.2.6: 10 minutes, where other replies have 5

SmtpFailure unreachable(std::string detail) {
  return {SmtpFailure::Kind::Temporary, "4.4.1", std::nullopt, std::move(detail), true, DeliveryStage::Connect};
}

// Nobody was asked: the failure is ours.
SmtpFailure without_source(std::string detail) {
  return {SmtpFailure::Kind::Temporary, "4.3.5", std::nullopt, std::move(detail), true, DeliveryStage::None};
}

std::string_view citation(const TlsRequirement& requirement) {
  switch (requirement.method) {
    case TlsRequirement::Method::Dane:
      return " (RFC 7672 §2.2)";
    case TlsRequirement::Method::Pin:
      return " (RFC 7671 §5.1)";
    case TlsRequirement::Method::Pkix:
      return requirement.level == TlsLevel::Authenticated ? " (RFC 8461 §4.2)" : " (RFC 9525 §6)";
    default:
      return "";
  }
}

}  // namespace

DeliveryConnection::DeliveryConnection(EventLoop& loop, TlsClientContext& tls, Owner& owner, std::string mx_name,
                                       Endpoint endpoint, TlsRequirement requirement, Options options)
    : loop_(loop),
      tls_(tls),
      owner_(owner),
      endpoint_(std::move(endpoint)),
      requirement_(std::move(requirement)),
      options_(std::move(options)),
      timer_(loop, [this] { on_timer(); }) {
  facts_.mx_name = std::move(mx_name);
  facts_.peer = endpoint_.str();
  facts_.source = options_.local_end.source;
  facts_.requirement_reason = requirement_.reason;
}

void DeliveryConnection::start() {
  const auto candidate_for = [this](const Endpoint& peer) {
    return RacingConnect::Candidate{peer, options_.local_end.address_for(peer.address)};
  };
  std::vector<RacingConnect::Candidate> candidates = {candidate_for(endpoint_)};
  if (options_.alternative) candidates.push_back(candidate_for(*options_.alternative));
  race_ = std::make_unique<RacingConnect>(
      loop_, std::move(candidates), kConnectStagger,
      [this](std::unique_ptr<Connection> connection, std::size_t candidate) {
        on_connected(std::move(connection), candidate);
      },
      [this](const Error& error) {
        const auto self = shared_from_this();
        facts_.own_end_failed = error.kind == ErrorKind::NotFound;
        end(facts_.own_end_failed ? without_source(error.detail) : unreachable(error.detail));
      });
  timer_due_ = loop_.now() + options_.connect_timeout;
  timer_.start(options_.connect_timeout);
}

void DeliveryConnection::on_connected(std::unique_ptr<Connection> connection, std::size_t candidate) {
  race_.reset();
  if (candidate > 0) endpoint_ = *options_.alternative;
  facts_.peer = endpoint_.str();
  connection_ = std::move(connection);
  Connection::Callbacks callbacks;
  callbacks.on_bytes = [this](std::string_view octets) {
    engine_->on_bytes(octets, loop_.now());
    pump();
  };
  callbacks.on_secured = [this] { on_secured(); };
  callbacks.on_closed = [this](const std::optional<Error>& error) { on_closed(error); };
  callbacks.on_drained = [this] { pump(); };
  connection_->set_callbacks(std::move(callbacks));
  phase_ = Phase::Open;
  facts_.local_address = connection_->local().address.str();
  engine_.emplace(SmtpClientEngine::Options{.helo_name = options_.local_end.helo_name,
                                            .banner_timeout = options_.reply_timeout,
                                            .command_timeout = options_.reply_timeout,
                                            .handshake_timeout = std::min(options_.reply_timeout, kHandshakeTimeout),
                                            .data_timeout = std::min(options_.reply_timeout, kDataTimeout),
                                            .final_reply_timeout = kFinalReplyFactor * options_.reply_timeout,
                                            .implicit_tls = options_.implicit_tls},
                  loop_.now());
  pump();
}

void DeliveryConnection::start_tls() {
  if (std::exchange(tls_started_, true)) return;
  connection_->start_tls(
      tls_.start(requirement_, fmt::format("{} {} {}", facts_.mx_name, facts_.peer, facts_.source), ""));
}

void DeliveryConnection::on_secured() {
  const TlsSummary summary = connection_->tls()->summary();
  facts_.proven = std::max(requirement_.level, TlsLevel::Encrypted);
  facts_.tls_method = tls_method_name(requirement_.method);
  facts_.tls_summary = summary.version + " " + summary.cipher;
  if (const auto& observed = connection_->tls()->peer_observation();
      observed && observed->result != CertificateResult::Accepted) {
    note_tls_failure(tls_result_of_certificate(observed->result), observed->detail);
  }
  engine_->on_secured(loop_.now(), login());
  pump();
}

std::optional<SmtpClientEngine::LoginAttempt> DeliveryConnection::login() const {
  if (!options_.login) return std::nullopt;
  // Encrypted is not enough: the peer could be anybody, and would learn the password. The plan has seen to it.
  if (facts_.proven < TlsLevel::Verified || requirement_.method == TlsRequirement::Method::Opportunistic) std::abort();
  auto current = options_.login->get();
  if (!current) std::abort();  // the route must not be used without
  std::random_device random;
  std::string nonce;
  for (std::size_t i = 0; i < kNonceOctets; ++i) nonce += static_cast<char>(random());
  return SmtpClientEngine::LoginAttempt{std::move(current), encode_base64(nonce)};
}

void DeliveryConnection::on_closed(const std::optional<Error>& error) {
  const auto self = shared_from_this();
  const std::string detail = error ? error->detail : "closed by the peer";
  const TlsSession* tls = connection_->tls();
  if (engine_->need() == Need::TlsHandshake && tls != nullptr && tls->state() == TlsSession::State::Failed) {
    on_tls_failure(*tls, detail);
  } else {
    engine_->on_closed(detail, loop_.now());
  }
  pump();
}

// Only a certificate that was looked at and refused says that the host is not who it must be.
void DeliveryConnection::on_tls_failure(const TlsSession& tls, const std::string& detail) {
  const auto& verdict = tls.peer_verdict();
  if (verdict && verdict->result != CertificateResult::Accepted) {
    note_tls_failure(tls_result_of_certificate(verdict->result), verdict->detail);
    engine_->on_tls_failure("4.7.5", detail + std::string(citation(requirement_)));
  } else {
    facts_.may_be_tried_again = tls.may_be_tried_again();
    if (!facts_.may_be_tried_again) note_tls_failure(TlsResultType::ValidationFailure, detail);
    engine_->on_tls_failure("4.7.0", detail);
  }
}

void DeliveryConnection::note_tls_failure(TlsResultType type, std::string_view reason_code) {
  facts_.tls_failure.emplace();
  facts_.tls_failure->type = type;
  facts_.tls_failure->sending_ip = facts_.local_address;
  facts_.tls_failure->receiving_mx = facts_.mx_name;
  facts_.tls_failure->receiving_ip = endpoint_.address.str();
  facts_.tls_failure->reason_code = reason_code;
}

void DeliveryConnection::on_timer() {
  const auto self = shared_from_this();
  timer_due_ = MonotonicTime::max();
  if (phase_ == Phase::Gone) return;
  if (phase_ == Phase::Connecting) {
    return end(unreachable(fmt::format("no connection within {} s", options_.connect_timeout.count() / 1'000)));
  }
  if (usable() && loop_.now() >= idle_until_) return quit();
  engine_->on_expiry(loop_.now());
  pump();
}

bool DeliveryConnection::usable() const {
  return phase_ == Phase::Open && idle_ && engine_->need() == Need::Transaction && established();
}

// The engine hears only later that the peer has ended TLS after what it said.
bool DeliveryConnection::established() const {
  return connection_->tls()->state() == TlsSession::State::Established;
}

bool DeliveryConnection::worn_out() const {
  const SmtpExtensions offered = extensions();
  return transactions_ >= offered.mail_max.value_or(UINT32_MAX) ||
         transactions_ >= offered.rcpt_domain_max.value_or(UINT32_MAX);
}

void DeliveryConnection::carry(std::shared_ptr<TransactionSource> source) {
  source_ = std::move(source);
  idle_ = false;
  begin_transaction();
  pump();
}

void DeliveryConnection::begin_transaction() {
  // The one place where mail starts to flow: in clear text it must not, whatever bug led here.
  if (connection_->tls() == nullptr || facts_.proven < TlsLevel::Encrypted) std::abort();
  ++transactions_;
  SmtpTransaction transaction = source_->transaction();
  recipients_ = transaction.recipients.size();
  engine_->begin(std::move(transaction), loop_.now());
}

void DeliveryConnection::quit() {
  const auto self = shared_from_this();
  idle_ = false;
  engine_->quit(loop_.now());
  pump();
}

void DeliveryConnection::cut(std::string_view detail) {
  const auto self = shared_from_this();
  if (phase_ == Phase::Gone) return;
  if (phase_ == Phase::Connecting) return end(unreachable(std::string(detail)));
  engine_->on_closed(detail, loop_.now());
  pump();
}

// Does what the engine needs until it needs the network. Calls from inside (a source that begins anew, an owner that
// hands over the next message) return at once and leave the work to the loop here, so that the stack does not grow.
void DeliveryConnection::pump() {
  if (pumping_) return;
  const auto self = shared_from_this();
  pumping_ = true;
  while (phase_ == Phase::Open && pump_once()) {
  }
  pumping_ = false;
  if (phase_ == Phase::Open) {
    flush();
    arm_timer();
  }
}

bool DeliveryConnection::pump_once() {
  switch (engine_->need()) {
    case Need::Bytes:
      return false;
    case Need::TlsHandshake:
      flush();
      start_tls();
      return false;
    case Need::Transaction:
      if (idle_) return false;
      become_ready();
      return true;
    case Need::Content:
      feed_content();
      return engine_->need() != Need::Content;
    case Need::Outcome:
      take_outcome();
      return true;
    case Need::Close:
      if (engine_->failure() && engine_->failure()->kind == SmtpFailure::Kind::TlsUnavailable) {
        note_tls_failure(TlsResultType::StarttlsNotSupported, engine_->failure()->detail);
      }
      end(engine_->failure());
      return false;
  }
  return false;
}

void DeliveryConnection::become_ready() {
  was_ready_ = true;
  idle_ = true;
  idle_until_ = loop_.now() + options_.idle_timeout;
  owner_.on_ready(*this);
}

void DeliveryConnection::feed_content() {
  std::size_t gathered = 0;
  while (engine_->need() == Need::Content && connection_->pending_octets() < kContentWindowOctets) {
    const auto piece = source_->content().next();
    if (!piece) {
      engine_->abandon_content(piece.error().detail, loop_.now());
    } else if (piece->empty()) {
      engine_->end_content(loop_.now());
    } else {
      engine_->give_content(*piece, loop_.now());
      gathered += piece->size();
    }
    if (gathered >= kContentBlockOctets) {
      flush();
      gathered = 0;
    }
  }
}

void DeliveryConnection::take_outcome() {
  SmtpTransactionOutcome outcome = engine_->take_outcome();
  const bool usable = outcome.connection_usable = outcome.connection_usable && established() && !worn_out();
  const auto source = std::exchange(source_, nullptr);
  const auto next = source->on_outcome(std::move(outcome), facts_, transactions_ == 1);
  if (next == TransactionSource::Next::Another && usable && engine_->need() == Need::Transaction) {
    source_ = source;
    begin_transaction();
  }
}

void DeliveryConnection::flush() {
  const bool secret = engine_->is_logging_in();
  std::string output = engine_->take_output();
  if (!output.empty()) connection_->write(output);
  if (secret) wipe(output);
}

// Under load the timer is not touched: it fires too early now and then, and is set anew.
void DeliveryConnection::arm_timer() {
  MonotonicTime due = engine_->expiry();
  if (idle_) due = std::min(due, idle_until_);
  if (due >= timer_due_) return;
  timer_due_ = due;
  timer_.start(due - loop_.now());
}

void DeliveryConnection::end(const std::optional<SmtpFailure>& failure) {
  phase_ = Phase::Gone;
  timer_.stop();
  race_.reset();
  if (connection_ && !failure) connection_->close(kLinger);
  connection_.reset();  // after a failure what is queued is dropped: it must not complete a message
  fail_source(failure);
  owner_.on_gone(*this, failure);
}

// The engine ends each transaction with an outcome before it closes. Should it ever not, the job must not wait for its
// deadline.
void DeliveryConnection::fail_source(const std::optional<SmtpFailure>& failure) {
  const auto source = std::exchange(source_, nullptr);
  if (!source) return;
  SmtpFailure cause = failure.value_or(unreachable("the connection ended before the transaction"));
  cause.kind = SmtpFailure::Kind::Temporary;
  cause.try_other_host = true;
  SmtpTransactionOutcome outcome;
  outcome.recipients.assign(recipients_, std::move(cause));
  source->on_outcome(std::move(outcome), facts_, transactions_ == 1);
}

}  // namespace waxwing
