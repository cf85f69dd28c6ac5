// Mail that came from elsewhere, and mail that has a chain.

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "relay/daemon/message_intake.h"
#include "relay/server/authserv_id.h"

namespace waxwing {
namespace {

ServerReply sealing_reply(const Error& error) {
  if (error.kind == ErrorKind::Malformed) return {554, "5.6.0", {reply_text(error.detail)}};
  return {451, "4.3.0", {reply_text(error.detail)}};
}

}  // namespace

void MessageIntake::seal_forwarded() {
  ReceivedEnvelope envelope{std::nullopt, submission_.helo_name, submission_.envelope.reverse_path};
  // A host of ours that hands on what it received says nothing about SPF of the sender.
  if (submission_.peer.is_global()) envelope.client = submission_.peer;
  ChainSealRequest request{verifier_, std::move(envelope),
                           received_field() + without_results_of(reader_.fields(), services_.config.hostname),
                           body_hash_, ChainSealRequest::Results::InHeader};
  services_.chain_sealer.seal(std::move(request), [self = shared_from_this()](Result<ChainSealed> sealed) {
    self->on_chain_sealed(std::move(sealed));
  });
}

// Our own mail with a chain that somebody began: only who came before knows what the chain is worth to its receivers.
void MessageIntake::add_to_chain(std::string header) {
  ChainSealRequest request{verifier_, {}, std::move(header), body_hash_, ChainSealRequest::Results::InChainOnly};
  services_.chain_sealer.seal(std::move(request), [self = shared_from_this()](Result<ChainSealed> sealed) {
    self->on_chain_sealed(std::move(sealed));
  });
}

void MessageIntake::on_chain_sealed(Result<ChainSealed> sealed) {
  if (!sealed) {
    refuse(sealing_reply(sealed.error()));
    return answer();
  }
  if (forwards()) {
    if (auto refusal = judge_forwarded(sealed->verdict)) refuse(std::move(*refusal));
    if (!refusal_) rewrite_envelope();
    if (refusal_) return answer();
  }
  if (!sealed->unsealed_because.empty()) {
    services_.log.write(Severity::Warning, "chain_not_sealed",
                        {{"id", message_->id.str()}, {"reason", sealed->unsealed_because}});
  }
  message_->sealing = Sealing::Elsewhere;
  store(std::move(sealed->header));
}

// What fails DMARC here fails it at the next receiver too. That SPF alone made it pass here is not held against it,
// although SPF does not survive being forwarded: the chain tells the next receiver.
std::optional<ServerReply> MessageIntake::judge_forwarded(const ReceivedVerdict& verdict) {
  using Outcome = PreflightVerdict::Outcome;
  if (!verdict.author_domain) return ServerReply{550, "5.6.0", {reply_text(verdict.author_fault)}};
  author_domain_ = verdict.author_domain;
  const DmarcVerdict& dmarc = *verdict.dmarc;
  Outcome outcome = Outcome::Pass;
  if (dmarc.result == DmarcResult::TempError) outcome = Outcome::Unknown;
  if (dmarc.result == DmarcResult::Fail && dmarc.disposition != DmarcPolicy::None) outcome = Outcome::WouldFail;
  return judge(outcome, fmt::format("mail from {} fails DMARC here, as it would at its next receiver: {}",
                                    author_domain_->str(), dmarc.detail));
}

// The sender becomes one of ours, so that SPF looks at us; bounces to such senders go on to whom they belong.
void MessageIntake::rewrite_envelope() {
  if (services_.rewriter == nullptr) return;
  for (EnvelopeRecipient& recipient : submission_.envelope.recipients) {
    auto restored = services_.rewriter->restore(recipient.address, received_);
    if (restored)
      recipient.address = std::move(*restored);
    else if (restored.error().kind != ErrorKind::NotFound)
      return refuse({550, "5.1.1", {reply_text(restored.error().detail)}});
  }
  if (!message_->reverse_path) return;
  auto rewritten = services_.rewriter->rewrite(*message_->reverse_path, received_);
  if (rewritten) {
    message_->reverse_path = std::move(*rewritten);
  } else {
    // Under its own sender it may pass or be refused, and a bounce finds its way; under none it would be lost silently.
    services_.log.write(Severity::Warning, "sender_not_rewritten",
                        {{"id", message_->id.str()}, {"reason", rewritten.error().detail}});
  }
}

}  // namespace waxwing
