#include "relay/daemon/message_intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "policy/date_time.h"
#include "relay/config/preflight_mode.h"
#include "relay/daemon/receiver_reply.h"
#include "relay/server/author_rules.h"
#include "relay/server/authserv_id.h"
#include "relay/server/header_repair.h"
#include "relay/server/header_rules.h"
#include "relay/server/submitted_header.h"
#include "relay/server/tls_required_field.h"

namespace waxwing {
namespace {

using Repair = ListenerConfig::Repair;

RawHeaders raw_headers(const ListenerConfig& listener) {
  return listener.raw_headers == ListenerConfig::RawHeaders::Reject ? RawHeaders::Reject
         : listener.raw_headers == ListenerConfig::RawHeaders::Fix  ? RawHeaders::Fix
                                                                    : RawHeaders::Pass;
}

bool has_8bit(std::string_view octets) {
  unsigned char all = 0;
  for (const char octet : octets) all = static_cast<unsigned char>(all | static_cast<unsigned char>(octet));
  return (all & 0x80U) != 0;
}

bool has_utf8_address(const Envelope& envelope) {
  if (envelope.reverse_path && has_8bit(envelope.reverse_path->local_part)) return true;
  return std::ranges::any_of(envelope.recipients,
                             [](const EnvelopeRecipient& recipient) { return has_8bit(recipient.address.local_part); });
}

bool needs_smtputf8(const Envelope& envelope, std::string_view header) {
  return has_utf8_address(envelope) || (envelope.smtputf8 && has_8bit(header));
}

ServerReply storage_reply(const Error& error) {
  if (error.kind == ErrorKind::Conflict) return {451, "4.5.0", {"the same request is being taken already; ask again"}};
  if (error.kind == ErrorKind::Exhausted) return {452, "4.3.1", {"the queue has no room now; try again later"}};
  return {451, "4.3.0", {"the message could not be stored; try again later"}};
}

ServerReply header_reply(const Error& error) {
  if (error.kind == ErrorKind::Exhausted) return {552, "5.3.4", {reply_text(error.detail)}};
  return {550, "5.6.0", {reply_text(error.detail)}};
}

// @param held_because  empty: to be delivered; else why they are held
std::vector<QueuedRecipient> queued_recipients(const Envelope& envelope, WallTime now,
                                               const std::string& held_because) {
  const bool held = !held_because.empty();
  const WallTime release = envelope.timing.release;
  const bool waits = !held && release > now;
  const std::string waits_because =
      waits ? fmt::format("its sender asked that it be released at {}", utc_date_time_text(release)) : std::string();
  std::vector<QueuedRecipient> recipients;
  recipients.reserve(envelope.recipients.size());
  for (const EnvelopeRecipient& recipient : envelope.recipients) {
    const auto ordinal = static_cast<std::uint32_t>(recipients.size());
    recipients.push_back({ordinal,
                          recipient.address,
                          held ? RecipientState::Held : RecipientState::Queued,
                          0,
                          waits ? release : now,
                          {},
                          held ? held_because : waits_because,
                          {},
                          recipient.notice,
                          false,
                          release});
  }
  return recipients;
}

ServerReply signing_reply(const Error& error) {
  if (error.kind == ErrorKind::Malformed) return {554, "5.6.0", {reply_text(error.detail)}};
  if (error.kind == ErrorKind::Denied) return {550, "5.7.1", {reply_text(error.detail)}};
  return {451, "4.3.0", {reply_text(error.detail)}};
}

}  // namespace

MessageIntake::MessageIntake(IntakeServices& services, Submission submission)
    : services_(services),
      submission_(std::move(submission)),
      received_(services.loop.wall_now()),
      message_(std::make_shared<QueuedMessage>()),
      body_hasher_(Canonicalization::Relaxed) {
  message_->id = services_.ids.next(received_);
  message_->accepted = received_;
  message_->account = submission_.account.name;
  message_->tenant = submission_.account.tenant_name();
  message_->reverse_path = submission_.envelope.reverse_path;
  message_->notice = submission_.envelope.notice;
  take_timing(submission_.envelope.timing);
  message_->submission = submission_.key;
}

void MessageIntake::take_timing(const DeliveryTiming& timing) {
  message_->release_request = timing.release_request;
  message_->deliver_by = timing.deliver_by;
  message_->expires = std::max(received_, timing.release) + services_.config.lifetime;
  if (timing.deliver_by && timing.deliver_by->mode == ByMode::Return)
    message_->expires = std::min(message_->expires, timing.deliver_by->time);
  // Signatures and proofs of now may not hold any more when it is released.
  if (!timing.release_request.empty()) message_->sealing = Sealing::Due;
}

void MessageIntake::feed(std::string_view content) {
  if (refusal_) return;
  auto body = reader_.read(content);
  if (!body) return refuse(header_reply(body.error()));
  follow_chain(*body);
  if (!refusal_) take_body(*body);
}

// Mail from elsewhere, and mail that has a chain already, is verified while it passes.
void MessageIntake::follow_chain(std::string_view body) {
  Result<void> fed;
  if (!std::exchange(header_seen_, header_seen_ || reader_.has_header()) && reader_.has_header() &&
      (forwards() || has_chain(reader_.fields()))) {
    verifier_ = std::make_shared<MessageVerifier>();
    fed = verifier_->feed(std::string(reader_.header_block()) + "\r\n");
  }
  if (verifier_ && fed && !body.empty()) fed = verifier_->feed(body);
  if (!fed) refuse(header_reply(fed.error()));
}

void MessageIntake::take_body(std::string_view body) {
  if (body.empty()) return;
  body_hasher_.update(body);
  message_->body_octets += body.size();
  message_->needs_8bit = message_->needs_8bit || has_8bit(body);
  if (message_->needs_8bit && !body_utf8_) body_utf8_.emplace();
  if (body_utf8_) body_utf8_->update(body);
  if (!spool_ && message_->body.size() + body.size() <= kMaxInlineBodyOctets) {
    message_->body += body;
    return;
  }
  Result<void> written;
  if (!spool_) {
    auto created = SpoolFile::create(services_.config.state_directory, message_->id);
    if (!created) return refuse(storage_reply(created.error()));
    spool_ = std::move(*created);
    message_->spooled = true;
    written = spool_->append(std::exchange(message_->body, {}));
  }
  if (written) written = spool_->append(body);
  if (!written) refuse(storage_reply(written.error()));
}

void MessageIntake::finish(OnAnswer on_answer) {
  on_answer_ = std::move(on_answer);
  if (!refusal_) {
    auto finished = reader_.finish();
    if (!finished) refuse(header_reply(finished.error()));
  }
  if (!refusal_) follow_chain({});
  if (!refusal_ && verifier_) {
    auto finished = verifier_->finish();
    if (!finished) refuse(header_reply(finished.error()));
  }
  if (!refusal_) check_header();
  if (!refusal_ && !forwards()) check_repairs();
  if (auto full = refusal_ ? std::nullopt : services_.storage_check()) refuse(std::move(*full));
  if (refusal_) return services_.loop.post([self = shared_from_this()] { self->answer(); });

  const bool unlabelled = message_->needs_8bit && !submission_.envelope.body_8bit;
  if (unlabelled && submission_.listener.unlabelled_8bit == Repair::Pass) message_->needs_8bit = false;
  message_->needs_8bit = message_->needs_8bit || has_8bit(header_);
  // Some clients say SMTPUTF8 with every message; only one that needs it depends on receivers that offer it.
  const bool keeps_word = submission_.envelope.smtputf8 && submission_.listener.needless_smtputf8 == Repair::Pass;
  message_->needs_smtputf8 = needs_smtputf8(submission_.envelope, header_) || keeps_word;
  message_->tls_request = tls_request();
  message_->message_id = find_message_id(reader_.fields());
  body_hash_ = body_hasher_.finish();
  forwards() ? seal_forwarded() : seal_own();
}

std::string MessageIntake::received_field() const {
  return compose_received({submission_.helo_name, submission_.peer.str(), services_.config.hostname,
                           submission_.tls_summary, message_->id, received_, submission_.authenticated,
                           submission_.protocol});
}

void MessageIntake::seal_own() {
  const ListenerConfig& listener = submission_.listener;
  const MissingFields wanted{.date = listener.date == Repair::Fix,
                             .message_id = listener.message_id == Repair::Fix,
                             .utf8_label = body_needs_label()};
  std::string missing =
      compose_missing_fields(reader_.fields(), services_.config.hostname, message_->id, received_, wanted);
  if (message_->message_id.empty()) {
    const auto added = parse_header_block(missing);
    if (added) message_->message_id = find_message_id(*added);
  }
  SealRequest request{received_field() + header_ + missing, body_hash_,       *author_domain_,
                      submission_.envelope.reverse_path,    message_->tenant, {}};
  for (const EnvelopeRecipient& recipient : submission_.envelope.recipients)
    request.recipient_domains.push_back(recipient.address.domain.str());
  services_.sealer.seal(std::move(request),
                        [self = shared_from_this()](Result<Sealed> sealed) { self->on_sealed(std::move(sealed)); });
}

// The character set of another body than one in UTF-8 cannot be told; and what others have signed stays as it is.
bool MessageIntake::body_needs_label() const {
  return submission_.listener.unlabelled_8bit == Repair::Fix && body_utf8_ && body_utf8_->is_valid() && !verifier_;
}

// RFC 8689 §4.1: where MAIL has the parameter, the field does not count.
TlsRequest MessageIntake::tls_request() const {
  if (submission_.envelope.require_tls) return TlsRequest::Required;
  const bool optional = services_.config.allow_tls_required_no && says_tls_required_no(reader_.fields());
  return optional ? TlsRequest::Optional : TlsRequest::None;
}

void MessageIntake::check_header() {
  if (count_received(reader_.fields()) > kMaxReceivedFields)
    return refuse({554, "5.4.6", {"too many Received fields: the message goes in a circle"}});
  if (auto refusal = check_header_form(reader_.fields())) return refuse(std::move(*refusal));
  if (forwards()) {
    header_ = reader_.header_block();  // the signatures of others are on it as it is
    return;
  }
  if (auto refusal = check_results(reader_.fields(), services_.config.hostname)) return refuse(std::move(*refusal));
  // Sender rules hold for the names that people will see as well as for the envelope.
  auto author_domain = check_authors(reader_.fields(), submission_.account);
  if (!author_domain) return refuse(std::move(author_domain.error()));
  author_domain_ = std::move(*author_domain);
  auto header = outgoing_header();
  if (!header) return refuse(std::move(header.error()));
  header_ = std::move(*header);
}

tl::expected<std::string, ServerReply> MessageIntake::outgoing_header() const {
  const Envelope& envelope = submission_.envelope;
  if (!envelope.smtputf8) return outgoing_fields(reader_.fields(), raw_headers(submission_.listener));
  // With an address that only SMTPUTF8 can carry, nothing is won by changing the rest; and what others have signed stays.
  if (submission_.listener.needless_smtputf8 == Repair::Fix && !has_utf8_address(envelope) && !verifier_)
    return outgoing_utf8_fields(reader_.fields());
  return outgoing_fields(reader_.fields(), RawHeaders::Pass);
}

// What a listener does not mend, it refuses where it is told to.
void MessageIntake::check_repairs() {
  const ListenerConfig& listener = submission_.listener;
  const Envelope& envelope = submission_.envelope;
  const auto refuse_form = [this](std::string text) { refuse({550, "5.6.0", {std::move(text)}}); };
  if (listener.date == Repair::Reject && !has_field(reader_.fields(), "Date"))
    return refuse_form("the message has no Date field");
  if (listener.message_id == Repair::Reject && !has_field(reader_.fields(), "Message-ID"))
    return refuse_form("the message has no Message-ID field");
  if (listener.unlabelled_8bit == Repair::Reject && message_->needs_8bit && !envelope.body_8bit)
    return refuse_form("the body has 8-bit octets, and MAIL did not say BODY=8BITMIME");
  if (listener.needless_smtputf8 == Repair::Reject && envelope.smtputf8 && !needs_smtputf8(envelope, header_))
    return refuse_form("MAIL said SMTPUTF8, and neither addresses nor header need it");
}

void MessageIntake::on_sealed(Result<Sealed> sealed) {
  if (!sealed) {
    refuse(signing_reply(sealed.error()));
    return answer();
  }
  if (auto refusal = judge(sealed->preflight.outcome, sealed->preflight.sentence)) {
    refuse(std::move(*refusal));
    return answer();
  }
  if (verifier_) return add_to_chain(std::move(sealed->header));
  store(std::move(sealed->header));
}

// What DNS does not tell is told by the next attempt of the client: holding it would leave an operator with all the
// mail of an outage.
std::optional<ServerReply> MessageIntake::judge(PreflightVerdict::Outcome outcome, const std::string& sentence) {
  if (outcome == PreflightVerdict::Outcome::Pass) return std::nullopt;
  const bool would_fail = outcome == PreflightVerdict::Outcome::WouldFail;
  switch (preflight_mode(services_.config, message_->tenant, *author_domain_)) {
    case PreflightMode::Hold:
      if (!would_fail) return ServerReply{451, "4.4.3", {reply_text(sentence)}};
      held_because_ = sentence;
      return std::nullopt;
    case PreflightMode::Warn:
      services_.log.write(Severity::Warning, "preflight_warning",
                          {{"id", message_->id.str()}, {"account", message_->account}, {"reason", sentence}});
      return std::nullopt;
    case PreflightMode::Enforce:
      break;
  }
  // RFC 7372 §3.3: 5.7.26 is for several authentication checks that failed together.
  return would_fail ? ServerReply{550, "5.7.26", {reply_text(sentence)}}
                    : ServerReply{451, "4.4.3", {reply_text(sentence)}};
}

void MessageIntake::store(std::string header) {
  message_->header = std::move(header);
  const std::uint64_t octets = message_->header.size() + 2 + message_->body_octets;
  auto admission = services_.limits.admit(services_.reader, submission_.account, submission_.envelope.recipients,
                                          octets, services_.loop.wall_now());
  if (admission.refusal) {
    refuse(std::move(*admission.refusal));
    return services_.loop.post([self = shared_from_this()] { self->answer(); });
  }
  if (held_because_.empty()) held_because_ = std::move(admission.held_because);
  message_->recipients = queued_recipients(submission_.envelope, services_.loop.wall_now(), held_because_);
  std::shared_ptr<const QueuedMessage> message = message_;
  waits_ = waits_for_receiver();
  services_.store.add(message, std::move(spool_), [self = shared_from_this(), message](const Result<void>& stored) {
    if (stored && self->waits_) return self->services_.loop.post([self, message] { self->await_receiver(message); });
    if (stored) self->services_.on_queued(message, {});
    self->services_.loop.post([self, stored] { self->on_stored(stored); });
  });
}

void MessageIntake::await_receiver(std::shared_ptr<const QueuedMessage> message) {
  if (abandoned_) {
    services_.on_queued(std::move(message), {});
    return answer();
  }
  services_.on_queued(std::move(message), [self = shared_from_this()](const FirstOutcome& outcome) {
    self->services_.loop.post([self, outcome] { self->on_first_outcome(outcome); });
  });
}

void MessageIntake::on_stored(const Result<void>& stored) {
  if (!stored) {
    services_.log.write(Severity::Error, "message_not_stored",
                        {{"id", message_->id.str()}, {"reason", stored.error().detail}});
    refuse(storage_reply(stored.error()));
  }
  answer();
}

// A request that can be repeated with its key must get the same answer then, which nobody would know any more.
bool MessageIntake::waits_for_receiver() const {
  if (!submission_.key.key.empty()) return false;
  const std::vector<std::string>& accounts = services_.config.cut_through_accounts;
  return submission_.listener.cut_through || std::ranges::find(accounts, message_->account) != accounts.end();
}

void MessageIntake::on_first_outcome(const FirstOutcome& outcome) {
  if (outcome.kind == FirstOutcome::Kind::Refused)
    refuse(receiver_refusal(outcome));
  else
    first_ = outcome;
  answer();
}

void MessageIntake::abandon() {
  abandoned_ = true;
  if (waits_) services_.stop_watching(message_->id);
}

void MessageIntake::refuse(ServerReply reply) {
  refusal_ = std::move(reply);
  spool_.reset();
  message_->body.clear();
}

void MessageIntake::answer() {
  // Whoever asked belongs to this thread; what is left of the intake may end on any.
  const OnAnswer on_answer = std::exchange(on_answer_, nullptr);
  const std::string id = message_->id.str();
  const std::string sender = message_->reverse_path ? message_->reverse_path->str() : "<>";
  if (refusal_) {
    services_.log.write(Severity::Warning, "message_refused",
                        {{"id", id},
                         {"account", message_->account},
                         {"from", sender},
                         {"peer", submission_.peer.str()},
                         {"code", static_cast<std::int64_t>(refusal_->code)},
                         {"reason", refusal_->lines.front()}});
    return on_answer(tl::unexpected(*refusal_));
  }
  services_.log.write(Severity::Info, "message_accepted",
                      {{"id", id},
                       {"message_id", message_->message_id},
                       {"account", message_->account},
                       {"from", sender},
                       {"peer", submission_.peer.str()},
                       {"recipients", static_cast<std::int64_t>(message_->recipients.size())},
                       {"octets", static_cast<std::int64_t>(message_->header.size() + 2 + message_->body_octets)}});
  if (!held_because_.empty()) {
    services_.log.write(Severity::Warning, "message_held",
                        {{"id", id}, {"message_id", message_->message_id}, {"reason", held_because_}});
  }
  on_answer(Acceptance{message_->id, first_});
}

}  // namespace waxwing
