#include "relay/daemon/submission_session.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>

#include "policy/base64.h"
#include "policy/secret.h"
#include "relay/daemon/receiver_reply.h"
#include "relay/daemon/suppression_check.h"
#include "transport/tls/tls_server_context.h"

namespace waxwing {
namespace {

constexpr Milliseconds kLinger{5'000};
// A client that does not read its replies gets no more of them than this.
constexpr std::size_t kMaxUnreadReplyOctets = 65'536;

// RFC 5802 §5.1: ours, which no other exchange has.
std::string random_nonce() {
  std::array<std::uint8_t, 24> octets{};
  RAND_bytes(octets.data(), octets.size());
  return encode_base64({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

}  // namespace

std::shared_ptr<SubmissionSession> SubmissionSession::start(const SessionServices& services,
                                                            std::unique_ptr<Connection> connection,
                                                            std::function<void(SubmissionSession&)> on_finished) {
  std::shared_ptr<SubmissionSession> session(
      new SubmissionSession(services, std::move(connection), std::move(on_finished)));
  session->listen();
  return session;
}

SubmissionSession::SubmissionSession(const SessionServices& services, std::unique_ptr<Connection> connection,
                                     std::function<void(SubmissionSession&)> on_finished)
    : services_(services),
      loop_(services.intake.loop),
      connection_(std::move(connection)),
      arrival_(services, *connection_),
      on_finished_(std::move(on_finished)),
      timer_(loop_, [this] { on_timer(); }) {}

void SubmissionSession::on_timer() {
  const bool in_handshake = !engine_ || engine_->need() == SmtpServerEngine::Need::TlsHandshake;
  if (in_handshake) return end();
  engine_->on_expiry(loop_.now());
  work();
}

void SubmissionSession::listen() {
  Connection::Callbacks callbacks;
  callbacks.on_bytes = [this](std::string_view octets) {
    if (arrival_.awaits_header()) return arrive(arrival_.on_bytes(octets));
    engine_->on_bytes(octets, loop_.now());
    work();
  };
  callbacks.on_secured = [this] {
    if (!engine_) return greet();
    under_way_.reset();
    engine_->on_secured(loop_.now(), judge_certificate(), channel_binding());
    work();
  };
  callbacks.on_drained = [this] { work(); };
  callbacks.on_closed = [this](const std::optional<Error>& error) {
    if (error) {
      services_.intake.log.write(
          Severity::Debug, "connection_lost",
          {{"listener", services_.config.name}, {"peer", connection_->peer().str()}, {"reason", error->detail}});
    }
    // Who only says nothing more still reads.
    if (error || !answering_) return end();
    has_left_ = true;
    answering_->abandon();
  };
  connection_->set_callbacks(std::move(callbacks));
  arrive(arrival_.begin());
}

void SubmissionSession::arrive(ClientArrival::Step step) {
  switch (step) {
    case ClientArrival::Step::Header:
    case ClientArrival::Step::Handshake:
      return timer_.start(ClientArrival::time_limit(step));
    case ClientArrival::Step::Refused:
      if (services_.engine.tls != SmtpServerEngine::Tls::Implicit)
        connection_->write("421 4.7.0 too many connections; try again later\r\n");
      connection_->close(Milliseconds(1'000));
      return end();
    case ClientArrival::Step::Invalid:
      connection_->close(Milliseconds(0));
      return end();
    case ClientArrival::Step::Ready:
      break;
  }
  greet();
  const Secret first_octets = arrival_.take_first_octets();
  if (ended_ || first_octets.size() == 0) return;
  engine_->on_bytes(first_octets.reveal(), loop_.now());
  work();
}

void SubmissionSession::greet() {
  SmtpServerEngine::Options options = services_.engine;
  options.began = loop_.wall_now();
  options.certificate = judge_certificate();
  options.channel_binding = channel_binding();
  options.scram = offers_scram();
  recognise(options);
  engine_.emplace(std::move(options), loop_.now());
  work();
}

// Peers are known by their address, local users by their uid. Who speaks for others is not one of them.
void SubmissionSession::recognise(SmtpServerEngine::Options& options) {
  const std::vector<IpAddress>& trusted = services_.config.xclient_peers;
  options.takes_xclient = std::find(trusted.begin(), trusted.end(), connection_->peer().address) != trusted.end();
  if (is_peer()) options.known_client = Account{"listener:" + services_.config.name, {}, {}, {}};
  const std::optional<std::uint32_t> uid = connection_->peer_uid();
  if (!uid) return;
  auto account = services_.intake.reader.find_account_of(*uid);
  if (account && !count_as(*account)) {
    options.known_client = std::move(*account);
  } else if (!account) {
    options.login_hint =
        account.error().kind == ErrorKind::NotFound
            ? fmt::format("uid {} has no account; \"waxwing account add NAME --uid {}\" makes one", *uid, *uid)
            : "the accounts cannot be read now; try again later";
  } else {
    options.login_hint = "the account has too many connections; try again later";
  }
}

// A connection counts for one account at a time.
std::optional<ServerReply> SubmissionSession::count_as(const Account& account) {
  if (counted_as_) services_.intake.limits.disconnect(*counted_as_);
  counted_as_.reset();
  auto refusal = services_.intake.limits.connect(services_.intake.reader, account);
  if (!refusal) counted_as_ = account;
  return refusal;
}

bool SubmissionSession::is_peer() const {
  const std::vector<IpAddress>& peers = services_.config.peers;
  return std::find(peers.begin(), peers.end(), arrival_.client()) != peers.end();
}

// Serves the engine until it waits for the client, or for something that is under way.
void SubmissionSession::work() {
  if (ended_ || !engine_) return;
  while (serve_need()) {
  }
  if (ended_) return;
  if (!engine_->in_transaction()) intake_.reset();  // given up half-way
  const std::string output = engine_->take_output();
  if (!output.empty()) connection_->write(output);
  if (engine_->need() == SmtpServerEngine::Need::Close) {
    connection_->close(kLinger);
    return end();
  }
  const bool may_read =
      engine_->need() == SmtpServerEngine::Need::Bytes && connection_->pending_octets() < kMaxUnreadReplyOctets;
  if (may_read != reading_) {
    reading_ = may_read;
    may_read ? connection_->resume_reading() : connection_->pause_reading();
  }
  if (answering_ && answering_->waits_for_receiver()) connection_->await_end();
  // Only a client that is awaited can be late; what we do ourselves has limits of its own.
  if (engine_->need() == SmtpServerEngine::Need::Bytes)
    timer_.start(std::max(Milliseconds(0), engine_->expiry() - loop_.now()));
  else if (engine_->need() != SmtpServerEngine::Need::TlsHandshake)
    timer_.stop();
}

// Returns whether the engine can go on at once.
bool SubmissionSession::serve_need() {
  if (under_way_ == engine_->need()) return false;
  under_way_.reset();
  switch (engine_->need()) {
    case SmtpServerEngine::Need::Bytes:
    case SmtpServerEngine::Need::Close:
      return false;
    case SmtpServerEngine::Need::TlsHandshake:
      under_way_ = SmtpServerEngine::Need::TlsHandshake;
      connection_->write(engine_->take_output());
      connection_->start_tls(services_.tls->start());
      timer_.start(kHandshakeTimeout);
      return false;
    case SmtpServerEngine::Need::Authentication:
      under_way_ = SmtpServerEngine::Need::Authentication;
      authenticate();
      return false;
    case SmtpServerEngine::Need::ScramKeys:
      look_up_scram_keys();
      return true;
    case SmtpServerEngine::Need::ScramVerdict:
      return judge_scram();
    case SmtpServerEngine::Need::CertificateLogin:
      log_in_by_certificate();
      return true;
    case SmtpServerEngine::Need::Identity:
      identify();
      return true;
    case SmtpServerEngine::Need::StorageCheck:
      intake_.reset();  // with its envelope: what the client gave up leaves nothing to the next message
      engine_->on_storage(check_message(), loop_.now());
      return true;
    case SmtpServerEngine::Need::RecipientCheck:
      engine_->on_recipient(
          check_suppression(services_.intake.reader, *engine_->account(), engine_->recipient(), loop_.wall_now()),
          loop_.now());
      return true;
    case SmtpServerEngine::Need::Content:
      hand_on_content();
      engine_->resume(loop_.now());
      return true;
    case SmtpServerEngine::Need::Acceptance:
      under_way_ = SmtpServerEngine::Need::Acceptance;
      finish_message();
      return engine_->need() != SmtpServerEngine::Need::Acceptance;
  }
  return false;
}

std::optional<ServerReply> SubmissionSession::check_message() {
  if (auto full = services_.intake.storage_check()) return full;
  return services_.intake.limits.check(services_.intake.reader, *engine_->account(), loop_.wall_now());
}

// Whoever is trusted to tell who logged in has checked the password.
void SubmissionSession::identify() {
  auto account = services_.intake.reader.find_account(engine_->claimed_login());
  if (!account) return engine_->on_identified(std::nullopt, loop_.now());
  if (const auto refusal = count_as(*account)) return engine_->on_login_refused(*refusal);
  if (services_.config.purpose == ListenerConfig::Purpose::Forwarding) account->allowed_senders.clear();
  engine_->on_identified(std::move(*account), loop_.now());
}

void SubmissionSession::authenticate() {
  const auto on_checked = [self = shared_from_this(), user = engine_->credentials().user](Result<Account> account) {
    if (self->ended_) return;
    self->under_way_.reset();
    self->on_login(user, std::move(account));
    self->work();
  };
  services_.authenticator.check(engine_->credentials(), client(), on_checked);
}

void SubmissionSession::look_up_scram_keys() {
  const ScramServer& exchange = engine_->scram();
  auto keys = services_.authenticator.scram_keys(exchange.user());
  if (!keys) return on_login(std::string(exchange.user()), tl::unexpected(std::move(keys.error())));
  const TlsSession* tls = connection_->tls();
  const std::string& type = exchange.channel_binding_type();
  std::optional<Secret> binding;
  if (tls != nullptr && !type.empty()) binding = tls->channel_binding(type);
  engine_->on_scram_keys(std::move(*keys), random_nonce(), binding, loop_.now());
}

// Returns whether that was done at once.
bool SubmissionSession::judge_scram() {
  const std::string user = engine_->scram().user();
  if (!engine_->scram_denial().empty()) {
    on_login(user, fail(ErrorKind::Denied, engine_->scram_denial()));
    return true;
  }
  under_way_ = SmtpServerEngine::Need::ScramVerdict;
  services_.authenticator.settle(engine_->scram(), client(),
                                 [self = shared_from_this(), user](Result<Account> account) {
                                   if (self->ended_) return;
                                   self->under_way_.reset();
                                   self->on_login(user, std::move(account));
                                   self->work();
                                 });
  return false;
}

// A client that sees it offered tries nothing else, so the accounts must be ready for it.
bool SubmissionSession::offers_scram() {
  switch (services_.config.scram) {
    case ListenerConfig::Scram::Off:
      return false;
    case ListenerConfig::Scram::On:
      return true;
    case ListenerConfig::Scram::Ready:
      break;
  }
  const auto without = services_.intake.reader.find_account_without_scram();
  return without && !*without;
}

// tls-exporter is what every client of -PLUS knows; with it come the others, as far as they have a meaning.
ScramServer::ChannelBinding SubmissionSession::channel_binding() const {
  const TlsSession* tls = connection_->tls();
  return services_.config.scram_plus && tls != nullptr && tls->channel_binding("tls-exporter")
             ? ScramServer::ChannelBinding::Offered
             : ScramServer::ChannelBinding::NotOffered;
}

void SubmissionSession::on_login(const std::string& user, Result<Account> account) {
  EventLog& log = services_.intake.log;
  const std::string peer = arrival_.client().str();
  if (account) {
    if (const auto refusal = count_as(*account)) return engine_->on_login_refused(*refusal);
    // Mail from elsewhere has senders from elsewhere.
    if (services_.config.purpose == ListenerConfig::Purpose::Forwarding) account->allowed_senders.clear();
    return engine_->on_authenticated(std::move(*account), loop_.now());
  }
  if (account.error().kind == ErrorKind::Denied) {
    log.write(
        Severity::Warning, "login_failed",
        {{"listener", services_.config.name}, {"peer", peer}, {"user", user}, {"reason", account.error().detail}});
    return engine_->on_authentication_failed(loop_.now());
  }
  const bool guessed = account.error().kind == ErrorKind::Exhausted;
  log.write(guessed ? Severity::Warning : Severity::Error, "login_unavailable",
            {{"peer", peer}, {"user", user}, {"reason", account.error().detail}});
  engine_->on_authentication_unavailable(loop_.now());
}

// Looked at once for each handshake; a certificate that ends during a session has served its purpose.
SmtpServerEngine::Certificate SubmissionSession::judge_certificate() {
  certificate_.clear();
  const TlsSession* tls = connection_->tls();
  if (tls == nullptr || services_.client_anchors == nullptr) return SmtpServerEngine::Certificate::None;
  const std::vector<std::string> chain = tls->peer_certificates();
  if (chain.empty()) return SmtpServerEngine::Certificate::None;
  ClientCertificate judged = verify_client_certificate(chain, *services_.client_anchors, loop_.wall_now());
  certificate_ = std::move(judged.identities);
  if (!certificate_.empty()) return SmtpServerEngine::Certificate::Verified;
  services_.intake.log.write(
      Severity::Warning, "client_certificate_refused",
      {{"listener", services_.config.name}, {"peer", arrival_.client().str()}, {"reason", judged.verdict.detail}});
  return SmtpServerEngine::Certificate::None;
}

// RFC 4422 §A.3: as whom the certificate says, and nobody else. What is wrong with it is for the log alone.
void SubmissionSession::log_in_by_certificate() {
  auto account = services_.intake.reader.find_account_by_certificate(certificate_);
  const std::string& wanted = engine_->authorization_identity();
  if (account && !wanted.empty() && wanted != account->name)
    account = fail(ErrorKind::Denied, fmt::format("{} may not act as another account", account->name));
  const bool unknown =
      !account && (account.error().kind == ErrorKind::NotFound || account.error().kind == ErrorKind::Conflict);
  if (unknown) account = fail(ErrorKind::Denied, account.error().detail);
  on_login(fmt::format("({})", certificate_.front()), std::move(account));
}

IpAddress SubmissionSession::client() const {
  return engine_ && engine_->told_address() ? *engine_->told_address() : arrival_.client();
}

void SubmissionSession::hand_on_content() {
  if (!intake_) {
    const TlsSession* tls = connection_->tls();
    const TlsSummary summary = tls == nullptr ? TlsSummary() : tls->summary();
    intake_ = std::make_shared<MessageIntake>(
        services_.intake,
        MessageIntake::Submission{engine_->envelope(), *engine_->account(), engine_->helo_name(), client(),
                                  tls == nullptr ? "" : summary.version + " " + summary.cipher, services_.config,
                                  services_.engine.protocol == SmtpServerEngine::Protocol::Lmtp ? "LMTP" : "ESMTP",
                                  !is_peer()});
  }
  const std::string content = engine_->take_content();
  if (!content.empty()) intake_->feed(content);
}

void SubmissionSession::finish_message() {
  if (const std::optional<ServerReply> refusal = engine_->content_refusal()) {
    intake_.reset();  // with its envelope: the next message is another one
    return engine_->on_refused(*refusal, loop_.now());
  }
  hand_on_content();
  answering_ = std::exchange(intake_, nullptr);
  answering_->finish([self = shared_from_this()](const tl::expected<Acceptance, ServerReply>& answer) {
    self->answering_.reset();
    if (self->ended_) return;
    self->under_way_.reset();
    self->on_answer(answer);
    self->work();
    if (!self->has_left_ || self->ended_) return;
    self->connection_->close(kLinger);
    self->end();
  });
}

void SubmissionSession::on_answer(const tl::expected<Acceptance, ServerReply>& answer) {
  if (!answer) return engine_->on_refused(answer.error(), loop_.now());
  if (answer->first.kind == FirstOutcome::Kind::Delivered)
    return engine_->on_delivered(receiver_acceptance(answer->first, answer->id), loop_.now());
  engine_->on_accepted(answer->id.str(), loop_.now());
}

void SubmissionSession::shut_down() {
  if (ended_) return;
  if (!engine_) return end();
  engine_->shut_down(loop_.now());
  work();
}

void SubmissionSession::end() {
  if (std::exchange(ended_, true)) return;
  timer_.stop();
  intake_.reset();
  if (answering_) answering_->abandon();
  arrival_.leave();
  if (counted_as_) services_.intake.limits.disconnect(*std::exchange(counted_as_, std::nullopt));
  // Not inside the callback of a member that would be destroyed with us.
  loop_.post([self = shared_from_this()] { self->on_finished_(*self); });
}

}  // namespace waxwing
